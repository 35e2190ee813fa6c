"""Which SMS a period includes, and when: once per paid period, whatever is heard how often."""

from __future__ import annotations

from app.core.clock import now
from app.core.uow import require_unit_of_work
from app.credits import service as credits
from app.subscriptions import queries
from app.subscriptions.models import SubscriptionStatus
from app.subscriptions.plans import INCLUDED_SMS, RANK
from app.subscriptions.service.reading import Reading

ENDED = "ended"


def follow_allowance(shop_id: int, current: Reading, noted: str | None) -> bool:
    """Start the allowance of the current period once it is paid; True when it started now.

    `noted` is the row's `allowance_period`: what has started. A step, under the lock of the subscription's
    row; keyed `{stripe_subscription_id}:{period_start}`. What is left of a period lapses as the next one
    starts, or as the subscription ends. Inside a period only a higher plan starts anew, once.
    """
    if current.status == SubscriptionStatus.CANCELLED:
        ended = f"{current.id}:{ENDED}"
        if noted != ended:
            _start(shop_id, 0, key=ended, note=ended)
        return False
    period = f"{current.id}:{current.period_start.isoformat()}"
    known, _, plan = (noted or "").rpartition(":")
    is_same_period = known == period
    if not current.may_be_adopted or (is_same_period and RANK[current.sku.plan] <= RANK[plan]):
        return False
    note = f"{period}:{current.sku.plan}"
    _start(shop_id, INCLUDED_SMS[current.sku.plan], key=note if is_same_period else period, note=note)
    return True


def _start(shop_id: int, included: int, *, key: str, note: str) -> None:
    credits.start_allowance_period(shop_id, included, period=key)
    values = {"shop_id": shop_id, "period": note, "at": now()}
    require_unit_of_work().execute(queries.NOTE_ALLOWANCE, values)
