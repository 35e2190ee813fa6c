"""`flask shops …` and `flask credits …` for operators."""

from __future__ import annotations

from uuid import uuid4

import click
from flask.cli import AppGroup

from app.auth import tokens
from app.billing import service
from app.core.activity import OPERATOR, acting_as
from app.core.errors import DomainError
from app.shops import service as shops
from app.shops.domains import normalise_domain

shops_cli = AppGroup("shops", help="Make shops and tokens.")
credits_cli = AppGroup("credits", help="Give credits and look at them.")


@shops_cli.command("create")
@click.argument("domain")
@click.option("--name")
@click.option("--plan", type=click.Choice(["starter", "pro", "none"]), default="starter", show_default=True)
@click.option("--country", default="GR", show_default=True)
def create(domain: str, name: str | None, plan: str, country: str) -> None:
    """Make a shop, with an active subscription and its allowance unless --plan none, and print its id."""
    try:
        shop = service.open_shop(domain, name=name, plan=None if plan == "none" else plan, country=country)
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(shop.id)


@shops_cli.command("token")
@click.argument("domain")
def token(domain: str) -> None:
    """Print an app token for a shop."""
    shop = _shop(domain)
    click.echo(tokens.issue(shop.id, shop.domain))


@credits_cli.command("grant")
@click.argument("domain")
@click.argument("amount", type=click.IntRange(1, 100_000_000))
@click.option("--reason", default="operator grant", show_default=True)
@click.option("--key", help="Repeat with the same key and nothing is granted twice.")
def grant(domain: str, amount: int, reason: str, key: str | None) -> None:
    """Add credits to a shop's wallet."""
    shop = _shop(domain)
    with acting_as(OPERATOR):
        done = service.grant_credits(shop.id, amount, key=key or f"grant:{uuid4().hex}", reason=reason)
    click.echo(
        f"{amount} credits granted to {shop.domain}" if done else "this key was used before; nothing granted"
    )


@credits_cli.command("show")
@click.argument("domain")
def show(domain: str) -> None:
    """Print a shop's balances."""
    balance = service.balance(_shop(domain).id)
    click.echo(
        f"wallet {balance.wallet}  allowance {balance.allowance}  held {balance.held}  spent {balance.spent}"
    )


def _shop(domain: str) -> shops.Shop:
    try:
        return shops.shop_by_domain(normalise_domain(domain) or domain)
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
