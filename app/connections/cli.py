"""`flask connections …` for operators. Prints no token."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.connections.models import ConnectionStatus
from app.connections.service import keys, showing
from app.core.errors import DomainError

connections_cli = AppGroup("connections", help="Look at the shops' ties to Shopify; change the tokens' key.")


@connections_cli.command("list")
@click.option("--status", type=click.Choice([status.value for status in ConnectionStatus]))
@click.option("--most", default=50, show_default=True)
def list_(status: str | None, most: int) -> None:
    """List the newest installations."""
    for row in showing.list_connections(status, most=most):
        until = f"{row.access_expires_at:%Y-%m-%d %H:%M}" if row.access_expires_at else "-"
        click.echo(f"{row.domain}\t{row.status}\t{row.installed_at:%Y-%m-%d %H:%M}\ttoken until {until}")


@connections_cli.command("show")
@click.argument("shop")
def show(shop: str) -> None:
    """Print one shop's connection: scopes, times, webhooks."""
    try:
        facts = showing.show_connection(shop)
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
    for name, value in facts.items():
        click.echo(f"{name}: {'-' if value is None else value}")


@connections_cli.command("rotate-keys")
def rotate_keys() -> None:
    """Encrypt every token with the first of TOKEN_ENCRYPTION_KEYS. Exit 1 if some cannot be read."""
    done, unreadable = keys.rotate_keys()
    click.echo(f"{done} connections have the newest key")
    if unreadable:
        raise click.ClickException(f"{unreadable} connections can be read with no key")
