"""The end of the demo: the table, the verdict, `demo.json`, and where to look next."""

from __future__ import annotations

import json
from pathlib import Path

from app.demo.figures import DELIVERED, FAILED, Outcome
from app.demo.table import Cell, Screen
from app.local.environment import HOST, SANDBOX_PORT, WEB_PORT
from app.local.servers import DATA_DIR

METRICS = (
    ("recipients", "total"),
    ("accepted by the carrier", "accepted"),
    (DELIVERED.lower(), "delivered"),
    ("failed", "failed"),
    ("clicks", "clicks"),
    ("opted out", "unsubscribes"),
)


def show_table(screen: Screen, outcome: Outcome) -> None:
    """What it came to, campaign by campaign and together."""
    metrics = [(label, [one.metrics[name] for one in outcome.sent]) for label, name in METRICS]
    refunded = [one.with_status(FAILED) for one in outcome.sent]
    refused = [one.refused for one in outcome.sent]
    rows: list[tuple[str, list[int]]] = [*metrics[:4], ("  refused, never charged", refused)]
    rows += [("  undelivered, refunded", refunded), *metrics[4:]]
    rows.append(("sent twice", [one.sent_twice for one in outcome.sent]))
    table: list[tuple[str, list[Cell]]] = [(label, [*cells, sum(cells)]) for label, cells in rows]
    screen.table([*(one.name for one in outcome.sent), "together"], table)
    screen.line()
    books, opt_outs = outcome.books, outcome.opt_outs
    screen.fact("opted out before, after", f"{opt_outs.before:,} → {opt_outs.after:,}")
    screen.fact("texts of an automation", len(outcome.automated), "for an order at Shopify")
    paid = f"for {outcome.bought.paid_cents / 100:,.2f} EUR, as quoted"
    screen.fact("credits bought", books.bought, paid)
    screen.fact("credits held", books.held, "as the previews said, and for the order's text")
    screen.fact("credits captured", books.captured, "parts that the carrier accepted")
    screen.fact("credits released", books.released, "of texts that it refused")
    screen.fact("credits refunded", books.refunded, "of texts that did not arrive")
    screen.fact("credits left", outcome.credits_left, f"of {books.given:,}")
    screen.fact("audit", f"{outcome.audit.checks} checks", f"{outcome.audit.differences} differences")


def show_verdict(screen: Screen, reasons: list[str]) -> None:
    """Whether the books balance, with every reason why not."""
    if not reasons:
        screen.verdict("The books balance: the API, the ledger and the carrier agree.", is_good=True)
        return
    screen.verdict("The books do not balance:", is_good=False)
    for reason in reasons:
        screen.line(reason)


def write_json(path: Path, outcome: Outcome) -> None:
    """Leave the figures for machines, whole or not at all."""
    draft = path.with_suffix(".json.draft")
    draft.write_text(json.dumps(outcome.as_json(), indent=2) + "\n")
    draft.replace(path)


def show_way_on(screen: Screen, *, data_dir: Path, domain: str, web_port: int, sandbox_port: int) -> None:
    """Where the same world can be looked at. On other ports the links of the texts would lead nowhere."""
    ports = (("PORT", web_port, WEB_PORT), ("SANDBOX_PORT", sandbox_port, SANDBOX_PORT))
    variables = "".join(f"{name}={port} " for name, port, usual in ports if port != usual)
    is_usual_place = data_dir == DATA_DIR.absolute()
    local = "python -m app.local" if is_usual_place else f"python -m app.local --data-dir {data_dir}"
    run = "make run" if is_usual_place else f".venv/bin/{local} run"
    screen.heading(f"{variables}{run} keeps this world up:")
    screen.line(f"API docs     http://{HOST}:{web_port}/docs")
    screen.line(f"Phone inbox  http://{HOST}:{sandbox_port}/")
    screen.line(f"A token      .venv/bin/{local} exec -- .venv/bin/flask --app wsgi shops token {domain}")
    screen.aside(f"figures in {data_dir / 'demo.json'}, logs in {data_dir / 'logs'}")
