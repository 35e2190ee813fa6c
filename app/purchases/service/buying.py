"""A purchase begins: the row first, then Stripe under the row's key, then Stripe's answer on the row.

A process that dies in between leaves a row without a session. The client's repetition asks Stripe again and
gets the same session; a payment that comes all the same names the row; `expire_abandoned` closes the rest.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.core.activity import record
from app.core.cache import changed
from app.core.clock import now
from app.core.idempotency import IdempotencyKeyReused
from app.core.settings import settings
from app.core.uow import across_shops, require_unit_of_work, unit_of_work
from app.integrations.stripe.client import is_configured
from app.integrations.stripe.errors import StripeNotConfigured, StripeRefused
from app.payers.service.customers import ensure_customer
from app.purchases import queries
from app.purchases.errors import AmountTooSmall, PurchaseNeedsSubscription, PurchaseTooOld
from app.purchases.models import Purchase, PurchaseKind, PurchaseStatus, RechargeSettings
from app.purchases.service import checkout
from app.purchases.service.packages import Package, find_package
from app.purchases.service.pricing import price_cents, price_columns
from app.shops import service as shops
from app.subscriptions.service import standing as subscriptions

SMALLEST_CENTS = 50  # Stripe: the least that a card is charged in euros and dollars
KEY_LIVES = timedelta(hours=23)  # Stripe remembers a key for a day at least
ABANDONED_AFTER = timedelta(hours=25)
OPEN_STATUSES = (PurchaseStatus.PENDING, PurchaseStatus.FAILED, PurchaseStatus.EXPIRED)


@dataclass(frozen=True)
class Asked:
    """What the client wants, and where Stripe's page shall lead back to."""

    success_url: str
    cancel_url: str
    currency: str | None = None
    ip_country: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class Checkout:
    """A purchase with Stripe's page for it; `url` is None once that page is closed."""

    purchase: Purchase
    url: str | None
    is_repeat: bool


def buy_credits(shop_id: int, credits: int, asked: Asked) -> Checkout:
    """Begin a top-up, once per `asked.key`.

    Raises AmountTooSmall, IdempotencyKeyReused, StripeNotConfigured, StripeFailed.
    """
    with unit_of_work(shop_id):
        currency = asked.currency or shops.find_shop(shop_id).currency
    return _buy(shop_id, PurchaseKind.TOPUP, credits, price_cents(credits, currency), currency, asked)


def buy_package(shop_id: int, package_id: str, asked: Asked) -> Checkout:
    """Begin the purchase of a package, once per `asked.key`.

    Raises PackageNotFound, PurchaseNeedsSubscription, IdempotencyKeyReused, StripeNotConfigured,
    StripeFailed.
    """
    with unit_of_work(shop_id):
        currency = asked.currency or shops.find_shop(shop_id).currency
        may_buy = subscriptions.is_subscribed(shop_id)
    package = find_package(package_id, currency)
    if not may_buy:
        raise PurchaseNeedsSubscription
    return _buy(shop_id, PurchaseKind.PACKAGE, package.credits, package.price_cents, currency, asked, package)


def expire_abandoned() -> int:
    """Close what never got a session and cannot get one any more. How many."""
    moment = now()
    values = {"now": moment, "before": moment - ABANDONED_AFTER}
    with across_shops("checkouts that nobody can pay are closed in every shop") as session:
        closed = session.execute(queries.EXPIRE, values).all()
        for shop_id in {row.shop_id for row in closed}:
            changed(shop_id, "billing")
    return len(closed)


def _buy(
    shop_id: int,
    kind: PurchaseKind,
    credits: int,
    net_cents: int,
    currency: str,
    asked: Asked,
    package: Package | None = None,
) -> Checkout:
    if not is_configured():
        raise StripeNotConfigured
    values = {
        "shop_id": shop_id,
        "kind": kind,
        "credits": credits,
        "package": package.id if package else None,
        "currency": currency,
        "idempotency_key": asked.key,
        "request_hash": _hash(kind, credits, package.id if package else None, currency),
    }
    with unit_of_work(shop_id):
        purchase, is_repeat = _row(values, net_cents, asked)
    session = _session(purchase)
    return Checkout(purchase, session.get("url"), is_repeat)


def _row(values: dict[str, Any], net_cents: int, asked: Asked) -> tuple[Purchase, bool]:
    """The purchase's row, and whether it was there already. Raises AmountTooSmall, IdempotencyKeyReused."""
    shop_id = values["shop_id"]
    price = price_columns(shop_id, net_cents, asked.ip_country)
    if price["gross_cents"] < SMALLEST_CENTS:
        raise AmountTooSmall(field="credits")
    values = (
        values
        | price
        | {
            "success_url": asked.success_url,
            "cancel_url": asked.cancel_url,
            "is_taxed_by_stripe": settings().stripe_tax,
            "keeps_card": _recharges(shop_id),
            "created_at": now(),
            "updated_at": now(),
        }
    )
    made = _insert(values)
    if made is not None:
        record(shop_id, "purchase.begun", "purchase", made.id, kind=str(made.kind), credits=made.credits)
        changed(shop_id, "billing")
        return made, False
    session = require_unit_of_work()
    same_key = (Purchase.shop_id == shop_id, Purchase.idempotency_key == asked.key)
    found = session.scalars(select(Purchase).where(*same_key)).one()
    if found.request_hash != values["request_hash"]:
        raise IdempotencyKeyReused
    return found, True


def _insert(values: dict[str, Any]) -> Purchase | None:
    """The new row; None when the key has one. Waits for a transaction that is about to use the key."""
    statement = insert(Purchase).values(**values)
    fresh = statement.on_conflict_do_nothing(index_elements=["shop_id", "idempotency_key"])
    return require_unit_of_work().scalar(fresh.returning(Purchase))


def _recharges(shop_id: int) -> bool:
    """Whether the shop lets us buy for it, so that its card is to be kept."""
    chosen = require_unit_of_work().get(RechargeSettings, shop_id)
    return chosen is not None and chosen.is_enabled


def _hash(*asked: Any) -> str:
    return hashlib.sha256(json.dumps([str(one) for one in asked]).encode()).hexdigest()


def _session(purchase: Purchase) -> dict[str, Any]:
    """Stripe's session of the purchase: read again, or made."""
    if purchase.stripe_session_id:
        return checkout.read_session(purchase.stripe_session_id)
    if purchase.created_at < now() - KEY_LIVES:
        raise PurchaseTooOld
    keep_customer(purchase)
    try:
        session = checkout.open_session(purchase)
    except StripeRefused as refused:  # certainly not done; the client may ask again
        _note(purchase, OPEN_STATUSES, status=PurchaseStatus.FAILED, failure=refused.reason)
        raise
    _note(purchase, OPEN_STATUSES, status=PurchaseStatus.PENDING, failure=None)
    _note(purchase, tuple(PurchaseStatus), stripe_session_id=session["id"])
    return session


def keep_customer(purchase: Purchase) -> None:
    """Note the Stripe customer who pays, on the row and on the object in hand: the first one found stays."""
    customer = purchase.stripe_customer_id or ensure_customer(purchase.shop_id)
    with unit_of_work(purchase.shop_id) as session:
        row = session.get_one(Purchase, purchase.id, with_for_update=True)
        row.stripe_customer_id = row.stripe_customer_id or customer
        customer = row.stripe_customer_id
    purchase.stripe_customer_id = customer


def _note(purchase: Purchase, statuses: tuple[PurchaseStatus, ...], **values: Any) -> None:
    """Write Stripe's answer on the row while it is in one of these states, and on the object in hand."""
    with unit_of_work(purchase.shop_id) as session:
        mine = (Purchase.id == purchase.id, Purchase.shop_id == purchase.shop_id)
        wanted = Purchase.status.in_([str(status) for status in statuses])
        written = session.scalar(
            update(Purchase)
            .where(*mine, wanted)
            .values(**values, version=Purchase.version + 1, updated_at=now())
            .returning(Purchase.id)
        )
        changed(purchase.shop_id, "billing")
    if written:
        for name, value in values.items():
            setattr(purchase, name, value)
