"""Working off Stripe's events: each under a lease, outside a unit of work, because its handlers ask Stripe.

A worker may die anywhere. Then the lease runs out and the event is worked on again; its handlers repeat
nothing that is done.
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from app.core.settings import settings
from app.core.uow import across_shops
from app.integrations.stripe.events import StripeEvent
from app.webhooks.models import Left
from app.webhooks.queries import stripe
from app.webhooks.service import stripe_shops, stripe_topics
from app.webhooks.service.failing import is_outage, name_of, place_of

log = structlog.get_logger(__name__)
WHY = "Stripe's events name no shop of ours"
SECONDS = 25.0  # of work, then the job rings again: other jobs get their turn
# An event can come before our own row of what it is about is committed: then it is looked at again, soon.
LOOKS_MAX = 3
LEASE_RAN_OUT = "LeaseRanOut"
Interruptions = tuple[type[BaseException], ...]


def apply_events(*, interruptions: Interruptions = ()) -> bool:
    """Work on events that are due, one after the other. True when there may be more. Safe in several workers.

    `interruptions` are exceptions that end the job whatever it does, such as its timeout.
    """
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        claimed = _claim()
        if claimed is None:
            return False
        _work_on(claimed, interruptions)
    return True


def _claim() -> Row[Any] | None:
    try:
        with across_shops(WHY):
            return stripe.claim()
    except IntegrityError:  # another worker was quicker with an event of the same object: the sweep rings
        return None


def _work_on(claimed: Row[Any], interruptions: Interruptions) -> None:
    event = StripeEvent.from_payload(claimed.payload)
    if event.livemode != _is_live():
        log.warning("stripe_event_wrong_mode", inbox_id=claimed.id, livemode=event.livemode)
        _finish(claimed, Left.WRONG_MODE, None)
    elif claimed.attempts >= stripe.MISSES_MAX:
        _miss(claimed, event, LEASE_RAN_OUT, None)
    else:
        _tell(claimed, event, interruptions)


def _tell(claimed: Row[Any], event: StripeEvent, interruptions: Interruptions) -> None:
    words: list[str] = []
    failures: list[Exception] = []
    for handler in stripe_topics.handlers_of(event.type):
        try:
            words.append(handler(event))
        except interruptions as ended:
            _miss(claimed, event, name_of(ended), None)
            raise
        except Exception as wrong:
            if is_outage(wrong):
                raise  # no event's fault: the lease runs out meanwhile
            failures.append(wrong)
    if failures:
        _miss(claimed, event, name_of(failures[0]), place_of(failures[0]))
    else:
        _settle(claimed, event, stripe_topics.outcome_of(words))


def _settle(claimed: Row[Any], event: StripeEvent, outcome: str) -> None:
    if outcome != Left.UNMATCHED:
        _finish(claimed, outcome, stripe_shops.shop_of(event))
        return
    with across_shops(WHY):
        is_over = stripe.postpone(
            claimed, Left.UNMATCHED, None, misses_max=LOOKS_MAX, last_word=Left.UNMATCHED
        )
    if is_over:
        log.warning("stripe_event_unmatched", inbox_id=claimed.id, stripe_type=event.type)


def _finish(claimed: Row[Any], outcome: str, shop_id: int | None) -> None:
    with across_shops(WHY):
        stripe.finish(claimed, outcome, shop_id)


def _miss(claimed: Row[Any], event: StripeEvent, failure: str, place: str | None) -> None:
    """Note one attempt in vain."""
    shop_id = stripe_shops.shop_of(event)
    with across_shops(WHY):
        is_dead = stripe.postpone(claimed, failure, shop_id, last_word=Left.DEAD)
    facts = {"inbox_id": claimed.id, "shop_id": shop_id, "stripe_type": event.type, "error": failure}
    if is_dead:
        log.error("stripe_event_dead", **facts)
    else:
        log.warning("stripe_event_failed", **facts, place=place)


def _is_live() -> bool:
    """Whether our key is for real money: `sk_live_…`, `rk_live_…`."""
    return "_live_" in (settings().stripe_secret_key or "")
