"""`flask shops …` for operators."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.core.errors import DomainError
from app.shops import service, tokens

shops_cli = AppGroup("shops", help="Make shops and tokens.")


@shops_cli.command("create")
@click.argument("domain")
@click.option("--name")
@click.option("--plan", type=click.Choice(["starter", "pro", "none"]), default="starter", show_default=True)
@click.option("--country", default="GR", show_default=True)
def create(domain: str, name: str | None, plan: str, country: str) -> None:
    """Make a shop, with an active subscription unless --plan none, and print its id."""
    try:
        shop = service.create_shop(domain, name=name, plan=None if plan == "none" else plan, country=country)
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(shop.id)


@shops_cli.command("token")
@click.argument("domain")
def token(domain: str) -> None:
    """Print an app token for a shop."""
    try:
        shop = service.shop_by_domain(tokens.normalise_domain(domain) or domain)
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(tokens.issue(shop.id, shop.domain))
