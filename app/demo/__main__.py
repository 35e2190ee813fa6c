"""`python -m app.demo [--contacts N] [--quick] [--data-dir DIR]`; exit 0 only when the books balance."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import requests

from app.demo.carrier import Carrier
from app.demo.cast import Cast
from app.demo.closing import show_table, show_verdict, show_way_on, write_json
from app.demo.commands import Operator
from app.demo.errors import DemoStopped
from app.demo.figures import disagreements
from app.demo.ledger import Ledger
from app.demo.people import make_contacts
from app.demo.story import tell
from app.demo.table import Screen
from app.local.environment import SANDBOX_PORT, WEB_PORT, port_from, usable_port
from app.local.errors import LocalServersUnavailable, writing_to
from app.local.servers import DATA_DIR

QUICK_CONTACTS = 200
REPORTS_LATER_MS = 1200


def main(argv: Sequence[str]) -> int:
    """Play the demo: 0 when the books balance, 1 with the reasons when not, 2 when there is no system."""
    chosen = _parser().parse_args(argv)
    screen = Screen()
    try:
        return _play(screen, chosen.data_dir.expanduser().absolute(), chosen.contacts)
    except LocalServersUnavailable as unavailable:
        print(unavailable, file=sys.stderr)
        return 2
    except (DemoStopped, requests.RequestException) as stopped:
        screen.verdict(f"The demo stopped. {stopped}", is_good=False)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _play(screen: Screen, data_dir: Path, count: int) -> int:
    try:
        from app.local.supervisor import World
    except ModuleNotFoundError as missing:
        sentence = f"{missing.name} is not installed: pip install -r requirements-dev.txt."
        raise LocalServersUnavailable(sentence) from missing
    began = time.monotonic()
    screen.line("Astronote, from an empty shop to balanced books. Nothing leaves this machine.")
    web_port, sandbox_port = _free("PORT", WEB_PORT), _free("SANDBOX_PORT", SANDBOX_PORT)
    with World(data_dir, web_port=web_port, sandbox_port=sandbox_port, extra_env=_pace(count)) as world:
        screen.aside("PostgreSQL, Valkey, web, workers, scheduler and carrier are up.")
        contacts = make_contacts(count)
        csv_file = data_dir / "contacts.csv"
        with writing_to(data_dir):
            csv_file.write_bytes(contacts.as_csv())
        cast = Cast(
            screen=screen,
            operator=Operator(world.env),
            ledger=Ledger(world.env["DATABASE_URL"]),
            carrier=Carrier(world.sandbox_url),
            api_url=world.url,
            sandbox_url=world.sandbox_url,
            contacts=contacts,
            csv_file=csv_file,
            began=began,
        )
        cast.carrier.hold_back_reports(REPORTS_LATER_MS)
        outcome = tell(cast)
        reasons = disagreements(outcome)
        cast.step("What it came to")
        show_table(screen, outcome)
        write_json(data_dir / "demo.json", outcome)
        show_verdict(screen, reasons)
    ports = {"web_port": world.web_port, "sandbox_port": world.sandbox_port}
    show_way_on(screen, data_dir=data_dir, domain=cast.domain, **ports)
    return 1 if reasons else 0


def _pace(count: int) -> dict[str, str]:
    """Slow enough to be watched, and a carrier with enough bad luck to be worth it.

    At the real pace (250 texts a call, 50 calls a second for a shop) all would be over before the bar is
    drawn.
    """
    return {
        "RATE_LIMIT_TENANT_MAX": str(max(10, count // 400)),
        # One lost answer concerns so many texts; the carrier is asked about no more than 50 at a time.
        "SMS_BATCH_SIZE": str(min(40, max(5, count // 80))),
        "SANDBOX_LATENCY_MS": "120",
        "SANDBOX_QUICK": "1",
        "SANDBOX_FAILURE_SHARE": "0.04",
        "SANDBOX_LATE_SHARE": "0.03",
    }


def _free(variable: str, default: int) -> int:
    """The port that `make run` would take, or any free one when another program has it."""
    port = port_from(variable, default)
    try:
        return usable_port(port, variable)
    except LocalServersUnavailable:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app.demo", description="A whole campaign on one machine."
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--contacts", type=_some, default=2000, help="rows in the imported list [2000]")
    size.add_argument(
        "--quick", dest="contacts", action="store_const", const=QUICK_CONTACTS, help=f"{QUICK_CONTACTS} rows"
    )
    parser.add_argument(
        "--data-dir", type=Path, default=DATA_DIR, help="where the system keeps its data [.local]"
    )
    return parser


def _some(text: str) -> int:
    count = int(text)
    if not 100 <= count <= 100_000:
        raise argparse.ArgumentTypeError("must be between 100 and 100000")
    return count


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
