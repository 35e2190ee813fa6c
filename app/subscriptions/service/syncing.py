"""Following Stripe: what it says of a shop's subscriptions becomes ours, whoever told us to look.

Stripe is asked first, then one unit of work applies the answer, guarded by the row's version: an answer that
was overtaken by another one changes nothing and the question is asked again. Events, pages, refreshes and the
daily comparison all come here, so that they may be doubled, late, out of order or lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import structlog

from app.core.activity import record
from app.core.cache import changed
from app.core.clock import now
from app.core.errors import Conflict
from app.core.queue import wake
from app.core.uow import after_commit, require_unit_of_work, unit_of_work
from app.payers.service import customers
from app.subscriptions import queries
from app.subscriptions.models import Source, Subscription
from app.subscriptions.plans import INCLUDED_SMS
from app.subscriptions.service import reading
from app.subscriptions.service.allowance import follow_allowance
from app.subscriptions.service.reading import Reading
from app.subscriptions.service.standing import subscription_of

log = structlog.get_logger(__name__)

TRIES = 5


class StillMoving(Conflict):
    """Others kept applying what they had read; asking again later will do."""

    message = "The subscription is being changed elsewhere. Please try again."


@dataclass(frozen=True)
class Synced:
    """What a sync found. `reason`: applied, unchanged, no_customer or no_subscription."""

    reason: str
    current_id: str | None = None
    is_allowance_new: bool = False

    @property
    def is_applied(self) -> bool:
        return self.reason == "applied"


def sync(shop_id: int, source: Source) -> Synced:
    """Make the shop's subscription what Stripe says, and include the SMS of a period that has begun.

    Idempotent: the allowance is keyed `{stripe_subscription_id}:{period_start}`. Raises what `stripe_client`
    raises, and StillMoving. A use case that calls Stripe: never inside a unit of work.
    """
    for _ in range(TRIES):
        with unit_of_work(shop_id):
            before = subscription_of(shop_id)
            customer_id = customers.customer_of(shop_id)
        if customer_id is None:
            return Synced("no_customer")
        readings = reading.subscriptions_of(customer_id)
        with unit_of_work(shop_id):
            done = _apply(shop_id, before, readings, source)
        if done:
            return done
    raise StillMoving


def _apply(
    shop_id: int, before: Subscription | None, readings: list[Reading], source: Source
) -> Synced | None:
    """What came of it, None when the row has moved since `before`. A step."""
    current = reading.current_of(readings, before.stripe_subscription_id if before else None)
    if current is None:
        return _nothing_there(shop_id, before)
    superseded = reading.superseded_by(current, readings)
    session = require_unit_of_work()
    if before is None:
        made = {"shop_id": shop_id, "plan": current.sku.plan, "interval": current.sku.interval}
        session.execute(queries.ADD_ROW, made)
    values = _values(current, superseded)
    version = {"version": before.version if before else 0}
    meta = {"shop_id": shop_id, "source": source, "at": now()}
    row = session.execute(queries.APPLY, values | version | meta).first()
    if row is None:
        return None
    is_new = follow_allowance(shop_id, current, row.allowance_period)
    if superseded:
        _replace(shop_id, current, superseded)
    is_same = before is not None and all(getattr(before, name) == values[key] for name, key in SHOWN.items())
    if not is_same:
        changed(shop_id, "billing", "figures")
        record(shop_id, "subscription.followed", "subscription", status=current.status, plan=current.sku.plan)
    return Synced("unchanged" if is_same and not is_new else "applied", current.id, is_new)


def _nothing_there(shop_id: int, before: Subscription | None) -> Synced | None:
    if before is None:
        return Synced("no_subscription")
    moved = {"shop_id": shop_id, "version": before.version, "at": now()}
    if require_unit_of_work().scalar(queries.TOUCH, moved) is None:
        return None
    if before.stripe_subscription_id:
        log.warning("subscription_unknown_to_stripe", shop_id=shop_id)
    return Synced("no_subscription", before.stripe_subscription_id)


def _replace(shop_id: int, current: Reading, superseded: Reading) -> None:
    """Ring for the old one to be cancelled; warn when nobody had asked for it to be replaced."""
    if current.replaces != superseded.id:
        log.warning("subscription_paid_twice", shop_id=shop_id)
    after_commit(partial(wake, "subscriptions.cancel_superseded", shop_id))


# What a merchant can see of it: by column, the name of its value in `_values`.
SHOWN = {
    "plan": "plan",
    "billing_interval": "interval",
    "currency": "currency",
    "status": "status",
    "period_start": "period_start",
    "period_end": "period_end",
    "trial_end": "trial_end",
    "cancel_at_period_end": "cancel_at_period_end",
    "stripe_subscription_id": "subscription_id",
    "stripe_schedule_id": "schedule_id",
    "superseded_stripe_subscription_id": "superseded_id",
    "pending_plan": "pending_plan",
    "pending_effective_at": "pending_effective_at",
    "last_billing_error": "billing_error",
}


def _values(current: Reading, superseded: Reading | None) -> dict[str, object]:
    pending = current.pending
    return {
        "plan": current.sku.plan,
        "interval": current.sku.interval,
        "currency": current.sku.currency,
        "status": str(current.status),
        "included": INCLUDED_SMS[current.sku.plan],
        "period_start": current.period_start,
        "period_end": current.period_end,
        "trial_end": current.trial_end,
        "cancel_at_period_end": current.cancel_at_period_end and current.is_live,
        "customer_id": current.customer_id,
        "subscription_id": current.id,
        "schedule_id": current.schedule_id,
        "superseded_id": superseded.id if superseded else None,
        "pending_plan": pending.sku.plan if pending else None,
        "pending_interval": pending.sku.interval if pending else None,
        "pending_currency": pending.sku.currency if pending else None,
        "pending_effective_at": pending.effective_at if pending else None,
        "billing_error": current.billing_error if current.is_live else None,
    }
