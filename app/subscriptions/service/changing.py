"""Another plan, the end, or on after all: Stripe is told, then asked what came of it.

Each use case may be repeated: Stripe's objects are told what they should be, not how they should change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.activity import record
from app.core.clock import now
from app.core.errors import ValidationFailed
from app.core.uow import unit_of_work
from app.integrations.stripe.client import as_dict, stripe_client
from app.integrations.stripe.errors import CardRefused, StripeRefused
from app.subscriptions.errors import (
    AlreadyOnPlan,
    InvalidScheduledChange,
    NoActiveSubscription,
    NoScheduledChange,
    NotCancelled,
    NotKeptByStripe,
    PaymentFailed,
)
from app.subscriptions.models import Source, Subscription
from app.subscriptions.pages import ReturnPages
from app.subscriptions.plans import Sku
from app.subscriptions.service import reading
from app.subscriptions.service.choosing import Mode, mode_of, verified_price, wanted_sku
from app.subscriptions.service.standing import subscription_of
from app.subscriptions.service.subscribing import metadata_of, open_checkout
from app.subscriptions.service.syncing import sync


@dataclass(frozen=True)
class Asked:
    """What a request names; the plan implies the interval, an interval alone the plan."""

    plan: str | None = None
    interval: str | None = None
    currency: str | None = None


@dataclass(frozen=True)
class Change:
    """How a change of plan was made, and when it takes effect if not at once."""

    mode: Mode
    sku: Sku
    effective_at: datetime | None = None
    checkout_url: str | None = None


def sku_of(subscription: Subscription) -> Sku:
    """What the shop has now."""
    return Sku(subscription.plan, subscription.billing_interval, subscription.currency)


def change_plan(shop_id: int, asked: Asked, pages: ReturnPages, *, must_differ: bool = False) -> Change:
    """Change the plan in the way that the policy says (contract §14.2).

    Raises NoActiveSubscription, AlreadyOnPlan (only when it `must_differ`), NotKeptByStripe, PaymentFailed,
    what `wanted_sku` raises, and StripeFailed.
    """
    current = _active(shop_id)
    target = wanted_sku(asked.plan, asked.interval, asked.currency or current.currency)
    mode = mode_of(sku_of(current), target)
    if mode is Mode.NONE and must_differ:
        raise AlreadyOnPlan
    if mode is Mode.NONE:
        return Change(mode, target)
    if mode is Mode.CHECKOUT:
        paid_now = current.stripe_subscription_id
        checkout = open_checkout(shop_id, target, pages, replaces=paid_now)
        return Change(mode, target, checkout_url=checkout.url)
    if target.currency != current.currency:
        raise ValidationFailed("currency", "cannot change within a subscription")
    if mode is Mode.SCHEDULED:
        return _schedule(current, target)
    return _change_now(current, target)


def change_schedule(shop_id: int, asked: Asked) -> Change:
    """Let another change than the scheduled one be made at the period's end.

    Raises NoActiveSubscription, NoScheduledChange, InvalidScheduledChange, StripeFailed.
    """
    current = _active(shop_id)
    if current.pending_plan is None:
        raise NoScheduledChange
    target = wanted_sku(asked.plan, asked.interval, asked.currency or current.currency)
    if mode_of(sku_of(current), target) is not Mode.SCHEDULED or target.currency != current.currency:
        raise InvalidScheduledChange
    return _schedule(current, target)


def cancel_schedule(shop_id: int) -> None:
    """Keep the plan after all. Raises NoActiveSubscription, NoScheduledChange, StripeFailed."""
    current = _active(shop_id)
    if current.pending_plan is None or current.stripe_schedule_id is None:
        raise NoScheduledChange
    _release(current.stripe_schedule_id)
    _follow(current, "subscription.schedule_cancelled")


def cancel(shop_id: int) -> datetime:
    """Let the subscription end with its period; the moment of this. Repeating it is harmless.

    Raises NoActiveSubscription, StripeFailed.
    """
    current = _live(shop_id)
    if current.cancel_at_period_end:
        return now()
    if current.stripe_subscription_id is None:
        return _flag(shop_id, True)
    if current.stripe_schedule_id:  # Stripe refuses to end what a schedule manages
        _release(current.stripe_schedule_id)
    _update(current.stripe_subscription_id, {"cancel_at_period_end": True})
    _follow(current, "subscription.cancelled")
    return now()


def resume(shop_id: int) -> None:
    """Let a subscription that was to end go on. Raises NoActiveSubscription, NotCancelled, StripeFailed."""
    current = _live(shop_id)
    if not current.cancel_at_period_end:
        raise NotCancelled
    if current.stripe_subscription_id is None:
        _flag(shop_id, False)
        return
    told = reading.subscription(current.stripe_subscription_id)
    by_date = told.get("cancel_at") and not told.get("cancel_at_period_end")
    _update(told["id"], {"cancel_at": ""} if by_date else {"cancel_at_period_end": False})
    _follow(current, "subscription.resumed")


def _change_now(current: Subscription, target: Sku) -> Change:
    price_id = verified_price(target)
    told = reading.subscription(_id(current))
    if told.get("schedule"):
        _release(told["schedule"]["id"])
    form = {
        "items": [{"id": told["items"]["data"][0]["id"], "price": price_id}],
        "proration_behavior": "always_invoice",
        "payment_behavior": "error_if_incomplete",  # nothing changes unless the difference is paid
        "metadata": metadata_of(current.shop_id, target),
    }
    try:
        _update(told["id"], form)
    except CardRefused as refused:
        raise PaymentFailed from refused
    _follow(current, "subscription.changed")
    return Change(Mode.IMMEDIATE, target)


def _schedule(current: Subscription, target: Sku) -> Change:
    price_id = verified_price(target)
    told = reading.subscription(_id(current))
    if told.get("cancel_at_period_end") or told.get("cancel_at"):
        resume(current.shop_id)
    schedule = told.get("schedule") or _new_schedule(current)
    phase = schedule["current_phase"]
    now_price = told["items"]["data"][0]["price"]["id"]
    told_on_change = metadata_of(current.shop_id, target)
    form: Any = {
        "end_behavior": "release",
        "metadata": told_on_change,
        "proration_behavior": "none",
        "phases": [
            {
                "items": [{"price": now_price, "quantity": 1}],
                "start_date": phase["start_date"],
                "end_date": phase["end_date"],
            },
            {
                "items": [{"price": price_id, "quantity": 1}],
                "duration": {"interval": target.interval, "interval_count": 1},
                "proration_behavior": "none",
                "metadata": told_on_change,
            },
        ],
    }
    with stripe_client() as stripe:
        stripe.v1.subscription_schedules.update(schedule["id"], form)
    after = _follow(current, "subscription.change_scheduled")
    return Change(Mode.SCHEDULED, target, effective_at=after.pending_effective_at)


def _new_schedule(current: Subscription) -> dict[str, Any]:
    """Once per version of the row: a schedule that was released is not the answer to a new wish."""
    key = {"idempotency_key": f"schedule:{current.stripe_subscription_id}:{current.version}"}
    with stripe_client() as stripe:
        return as_dict(
            stripe.v1.subscription_schedules.create({"from_subscription": _id(current)}, key)  # type: ignore[arg-type]
        )


def _release(schedule_id: str) -> None:
    try:
        with stripe_client() as stripe:
            stripe.v1.subscription_schedules.release(schedule_id)
    except StripeRefused:  # it was released, or has run its course, before this: what is so shows the sync
        return


def _update(subscription_id: str, form: Any) -> None:
    with stripe_client() as stripe:
        stripe.v1.subscriptions.update(subscription_id, form)


def _follow(current: Subscription, action: str) -> Subscription:
    """What came of it. A process that dies before this is made up for by Stripe's events."""
    with unit_of_work(current.shop_id):
        record(current.shop_id, action, "subscription")
    sync(current.shop_id, Source.CHANGE)
    return _live(current.shop_id)


def _active(shop_id: int) -> Subscription:
    subscription = _live(shop_id)
    if not subscription.is_active:
        raise NoActiveSubscription
    return subscription


def _live(shop_id: int) -> Subscription:
    with unit_of_work(shop_id):
        subscription = subscription_of(shop_id)
    if subscription is None or not subscription.is_live:
        raise NoActiveSubscription
    return subscription


def _id(subscription: Subscription) -> str:
    if subscription.stripe_subscription_id is None:
        raise NotKeptByStripe
    return subscription.stripe_subscription_id


def _flag(shop_id: int, ends: bool) -> datetime:
    """For a subscription that nobody pays for: our own clock ends it."""
    with unit_of_work(shop_id):
        subscription = subscription_of(shop_id)
        if subscription is None or not subscription.is_live:
            raise NoActiveSubscription
        subscription.cancel_at_period_end = ends
        subscription.version += 1
        record(shop_id, "subscription.cancelled" if ends else "subscription.resumed", "subscription")
    return now()
