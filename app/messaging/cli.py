"""`flask quiet-hours …` for operators."""

from __future__ import annotations

from typing import TextIO

import click
from flask.cli import AppGroup

from app.core.errors import DomainError
from app.messaging.service import hours

quiet_hours_cli = AppGroup("quiet-hours", help="When marketing may reach people, by place and weekday.")


@quiet_hours_cli.command("show")
def show() -> None:
    """Print the hours that count now, as CSV that `load` reads."""
    click.echo(",".join(hours.COLUMNS))
    for window in hours.current_windows():
        times = f"{window.opens:%H:%M},{window.closes:%H:%M}"
        click.echo(f"{window.country},{window.state},{window.weekday},{times}")


@quiet_hours_cli.command("load")
@click.argument("file", type=click.File(encoding="utf-8"))
def load(file: TextIO) -> None:
    """Replace all hours by those of a CSV FILE. The old ones are kept as an older version."""
    try:
        version = hours.replace_windows(file)
    except DomainError as refusal:
        raise click.ClickException(f"{refusal.message} {refusal.details}") from refusal
    click.echo(f"version {version} counts from now on")
