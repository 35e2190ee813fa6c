"""`python -m app.local run | exec [--migrate] [-- COMMAND …] | clean`, see the Makefile."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.local.environment import SANDBOX_PORT, WEB_PORT, fill, local_environment, migrate, port_from
from app.local.errors import LocalServersUnavailable
from app.local.servers import DATA_DIR, embedded_servers, remove
from app.local.signals import run_to_its_end, signals_end_the_program


def main(argv: Sequence[str]) -> int:
    """Do what the words say; 2 and one sentence when the local system cannot be had."""
    chosen = _parser().parse_args(argv)
    try:
        with signals_end_the_program():
            return _do(chosen)
    except LocalServersUnavailable as unavailable:
        print(unavailable, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _do(chosen: argparse.Namespace) -> int:
    if chosen.action == "run":
        return _run(chosen.data_dir)
    if chosen.action == "exec":
        return _exec(chosen.data_dir, chosen.command, with_migrations=chosen.migrate)
    remove(chosen.data_dir)
    return 0


def _run(data_dir: Path) -> int:
    # The supervisor needs a development package; imported here, its absence becomes a sentence.
    try:
        from app.local.supervisor import World
    except ModuleNotFoundError as missing:
        raise LocalServersUnavailable(
            f"{missing.name} is not installed: pip install -r requirements-dev.txt."
        ) from missing
    print("Starting …", file=sys.stderr)
    web_port, sandbox_port = port_from("PORT", WEB_PORT), port_from("SANDBOX_PORT", SANDBOX_PORT)
    shop: list[str] = []

    def prepare(env: Mapping[str, str], phones: Path) -> None:
        shop.append(fill(env, phones))

    with World(data_dir, web_port=web_port, sandbox_port=sandbox_port, prepare=prepare) as world:
        print(f"API docs     {world.url}/docs\nPhone inbox  {world.sandbox_url}/")
        print(f"Stripe       {world.sandbox_url}/stripe/")
        print(f"Logs         {world.data_dir / 'logs'}", *shop, sep="\n")
        print("Everything is up. Ctrl-C ends it.", flush=True)
        world.supervise()
    return 0


def _exec(data_dir: Path, command: Sequence[str], *, with_migrations: bool) -> int:
    with embedded_servers(data_dir) as servers:
        ports = port_from("PORT", WEB_PORT), port_from("SANDBOX_PORT", SANDBOX_PORT)
        env = {**local_environment(*ports), **servers.env}
        if with_migrations:
            migrate(env)
        return run_to_its_end(command, env) if command else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.local", description="The system on one machine.")
    parser.add_argument("--data-dir", type=Path, default=DATA_DIR, help="where its data lives [.local]")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("run", help="everything, until Ctrl-C")
    execute = actions.add_parser("exec", help="one command with the servers up and the variables set")
    execute.add_argument("--migrate", action="store_true", help="bring the database up to date first")
    execute.add_argument("command", nargs="*", help="after --")
    actions.add_parser("clean", help="stop leftover servers and delete the data")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
