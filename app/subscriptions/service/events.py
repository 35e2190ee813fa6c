"""Stripe's events about subscriptions. Each only says where to look: what is so is read from Stripe.

So any of them may come twice, late, in any order, or never. They run outside a unit of work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.core.uow import across_shops, unit_of_work
from app.integrations.stripe.events import StripeEvent
from app.payers.service import customers
from app.subscriptions import queries
from app.subscriptions.models import Source
from app.subscriptions.service.subscribing import KIND
from app.subscriptions.service.syncing import sync

UNMATCHED, NOT_CURRENT, NOT_A_SUBSCRIPTION = "unmatched", "not_current", "not_a_subscription"


def checkout_session(event: StripeEvent) -> str:
    """Somebody has paid, or not: what the session bought becomes the shop's once it is paid."""
    session = event.object
    if (session.get("metadata") or {}).get("type") != KIND:
        return NOT_A_SUBSCRIPTION
    shop_id = _shop_of(session)
    if shop_id is None:
        return UNMATCHED
    with unit_of_work(shop_id):
        if session.get("customer") and customers.customer_of(shop_id) is None:
            customers.adopt_customer(shop_id, str(session["customer"]))
    return _follow(shop_id, session.get("subscription"))


def subscription_changed(event: StripeEvent) -> str:
    """A subscription was made, changed, paused, resumed or ended, or its trial ends soon."""
    shop_id = _shop_of(event.object)
    return UNMATCHED if shop_id is None else _follow(shop_id, event.object_id)


def invoice_changed(event: StripeEvent) -> str:
    """A period was paid, or not: the allowance and the billing error follow."""
    invoice = event.object
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    if not details.get("subscription"):
        return NOT_A_SUBSCRIPTION
    shop_id = _shop_of({**invoice, "metadata": details.get("metadata"), "subscription": details})
    return UNMATCHED if shop_id is None else _follow(shop_id, details["subscription"])


def schedule_changed(event: StripeEvent) -> str:
    """A change was scheduled, made or called off."""
    schedule = event.object
    shop_id = _shop_of(schedule)
    about = schedule.get("subscription") or schedule.get("released_subscription")
    return UNMATCHED if shop_id is None else _follow(shop_id, about)


HANDLERS: dict[str, Callable[[StripeEvent], str]] = {
    **dict.fromkeys(
        (
            "checkout.session.completed",
            "checkout.session.async_payment_succeeded",
            "checkout.session.async_payment_failed",
            "checkout.session.expired",
        ),
        checkout_session,
    ),
    **dict.fromkeys(
        tuple(
            f"customer.subscription.{what}"
            for what in ("created", "updated", "deleted", "paused", "resumed", "trial_will_end")
        ),
        subscription_changed,
    ),
    **dict.fromkeys(
        (
            "invoice.paid",
            "invoice.payment_succeeded",
            "invoice.payment_failed",
            "invoice.payment_action_required",
        ),
        invoice_changed,
    ),
    **dict.fromkeys(
        tuple(
            f"subscription_schedule.{what}"
            for what in ("created", "updated", "released", "canceled", "completed", "aborted", "expiring")
        ),
        schedule_changed,
    ),
}


def _follow(shop_id: int, about: Any) -> str:
    synced = sync(shop_id, Source.WEBHOOK)
    if about and synced.current_id and str(about) != synced.current_id:
        return NOT_CURRENT
    return synced.reason


def _shop_of(told: dict[str, Any]) -> int | None:
    """By our own metadata, else by the customer, else by the subscription."""
    metadata = told.get("metadata") or {}
    named = str(metadata.get("shopId") or metadata.get("storeId") or "")
    if named.isascii() and named.isdigit() and len(named) < 19:
        shop_id = _existing(int(named))
        if shop_id is not None:
            return shop_id
    customer_id = told.get("customer")
    shop_id = customers.shop_of_customer(str(customer_id)) if customer_id else None
    return shop_id or _shop_of_subscription(told)


def _existing(shop_id: int) -> int | None:
    with across_shops("an event of Stripe names a shop that may be gone") as session:
        return session.scalar(queries.EXISTING_SHOP, {"shop_id": shop_id})


def _shop_of_subscription(told: dict[str, Any]) -> int | None:
    subscription_id = told.get("id") if told.get("object") == "subscription" else told.get("subscription")
    if isinstance(subscription_id, dict):
        subscription_id = subscription_id.get("subscription")
    with across_shops("an event of Stripe names the subscription, not the shop") as session:
        return session.scalar(queries.OF_STRIPE, {"subscription_id": str(subscription_id or "")})
