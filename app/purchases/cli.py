"""`flask purchases …` for operators."""

from __future__ import annotations

from datetime import timedelta

import click
from flask.cli import AppGroup

from app.core.activity import OPERATOR, acting_as
from app.core.clock import now
from app.core.errors import DomainError
from app.purchases.models import PurchaseStatus
from app.purchases.service import reconciling, showing

purchases_cli = AppGroup("purchases", help="What shops bought once, and whether Stripe agrees.")


@purchases_cli.command("list")
@click.option("--status", type=click.Choice([str(one) for one in PurchaseStatus]))
@click.option("--shop", "domain", help="A shop's domain.")
@click.option("--most", default=50, show_default=True)
def list_purchases(status: str | None, domain: str | None, most: int) -> None:
    """Print purchases, the newest first."""
    for row in showing.listed(status=status, domain=domain, most=most):
        money = f"{row.gross_cents / 100:.2f} {row.currency}"
        click.echo(
            f"{row.id}\t{row.created_at:%Y-%m-%d %H:%M}\t{row.domain}\t{row.kind}\t{row.credits}\t{money}"
            f"\t{row.status}\t{row.stripe_session_id or row.stripe_payment_intent_id or '-'}"
        )


@purchases_cli.command("show")
@click.argument("purchase_id", type=int)
def show(purchase_id: int) -> None:
    """Print everything that is known of a purchase."""
    facts = showing.facts(purchase_id)
    if facts is None:
        raise click.ClickException("there is no such purchase")
    for name, value in facts.items():
        click.echo(f"{name}: {value}")


@purchases_cli.command("reconcile")
@click.option("--days", type=click.IntRange(1, 365), help="How far back; else since the last time.")
def reconcile(days: int | None) -> None:
    """Ask Stripe for payments, refunds and disputes that we have missed, and apply them."""
    since = now() - timedelta(days=days) if days else None
    try:
        with acting_as(OPERATOR):
            found = reconciling.reconcile(since)
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(", ".join(f"{word} {many}" for word, many in sorted(found.items())) or "nothing to do")
