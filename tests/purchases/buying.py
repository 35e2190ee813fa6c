"""How shops buy in tests, and what is true of every shop that has bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient

from app.audit.service import audit
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.credits.service import Balance
from app.integrations.stripe.events import StripeEvent
from app.purchases.models import Purchase
from app.purchases.service import fulfilling, reversing
from app.purchases.service.events import HANDLERS
from app.purchases.service.finding import Found
from app.purchases.service.fulfilling import Payment
from app.purchases.service.reversing import Returned
from app.shops.models import Shop
from tests import build
from tests.stripe_world import StripeWorld


@dataclass(frozen=True)
class Bought:
    """A purchase that was paid at Stripe."""

    shop: Shop
    id: int
    session: str
    payment: str


def top_up(client: FlaskClient, shop: Shop, credits: int = 1_000, **body: Any) -> dict[str, Any]:
    """The answer to a top-up, which must begin."""
    answer = client.post("/billing/topup", json={"credits": credits, **body}, headers=build.auth(shop))
    assert answer.status_code == 201, answer.text
    return dict(answer.json["data"])


def pay(stripe_world: StripeWorld, client: FlaskClient, shop: Shop, credits: int = 1_000) -> Bought:
    """Begin a top-up and pay it at Stripe; our side has not heard of it."""
    begun = top_up(client, shop, credits)
    session = stripe_world.pay(begun["checkoutUrl"])
    return Bought(shop, int(begun["purchaseId"]), session["id"], session["payment_intent"])


def paid_row(shop: Shop, credits: int = 1_000, *, refunded_cents: int = 0) -> Purchase:
    """A top-up of a euro a credit that was paid, and partly refunded, as if Stripe had said so."""
    cents = credits * 100
    money = {"net_cents": cents, "tax_cents": 0, "gross_cents": cents, "currency": "EUR"}
    with unit_of_work(shop.id) as session:
        row = Purchase(
            shop_id=shop.id, kind="topup", credits=credits, vat_treatment="unknown", payer={}, **money
        )
        session.add(row)
    intent = f"pi_{row.id}"
    fulfilling.apply_payment(shop.id, row.id, Payment(cents, cents, "eur", intent, None))
    if refunded_cents:
        with unit_of_work(shop.id) as session:
            version = session.get_one(Purchase, row.id).version
        reversing.follow(Found(shop.id, row.id), version, Returned(refunded_cents, 0))
    return row


def hear(stripe_world: StripeWorld, events: list[dict[str, Any]] | None = None) -> list[str]:
    """Give Stripe's events to their handlers; what was done."""
    told = stripe_world.pull() if events is None else events
    heard = [StripeEvent.from_payload(event) for event in told]
    return [HANDLERS[event.type](event) for event in heard if event.type in HANDLERS]


def purchase(bought: Bought) -> Purchase:
    """Its row as it is now."""
    with unit_of_work(bought.shop.id) as session:
        return session.get_one(Purchase, bought.id)


def purchases_of(shop: Shop) -> list[Purchase]:
    with unit_of_work(shop.id) as session:
        return list(session.scalars(sa.select(Purchase).order_by(Purchase.id)))


def balance(shop: Shop) -> Balance:
    with unit_of_work(shop.id):
        return credits.balance_of(shop.id)


def differences() -> dict[str, int]:
    """What the audit finds wrong."""
    return {found.check.name: found.differences for found in audit() if found.differences}
