"""`flask templates …` for operators and releases."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.templates import service

templates_cli = AppGroup("templates", help="Keep the shared templates up to date.")


@templates_cli.command("sync")
def sync() -> None:
    """Bring the shared templates up to the library of this release. Safe to repeat."""
    click.echo(service.sync_library().message)
