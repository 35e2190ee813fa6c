"""Working off Shopify's events, shop by shop: effects and "done" commit together, or neither does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy.engine import Row

from app.core.uow import unit_of_work
from app.integrations.shopify.events import ShopifyEvent
from app.webhooks.queries import shopify
from app.webhooks.service import shopify_topics
from app.webhooks.service.failing import is_outage, name_of, place_of

log = structlog.get_logger(__name__)
# One transaction of so many events; they share its costs, and its locks for as long as it lasts.
BATCH = 20
SECONDS = 25.0  # of work, then the job rings again: other shops get their turn


def apply_events(shop_id: int, *, interruptions: tuple[type[BaseException], ...] = ()) -> bool:
    """Work on the shop's events that are due. True when there may be more. Safe in several workers.

    `interruptions` are exceptions that end the job whatever it does, such as its timeout.
    """
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        claimed: list[int] = []
        try:
            done = _apply(shop_id, BATCH, claimed)
        except interruptions:
            raise
        except Exception as wrong:
            if is_outage(wrong) or not claimed:
                raise
            _apply_each(shop_id, claimed, interruptions)
            continue
        if not done:
            return False
    return True


def _apply_each(shop_id: int, ids: Sequence[int], interruptions: tuple[type[BaseException], ...]) -> None:
    """One event of a batch cannot be worked on: each for itself, so that the others get through."""
    for event_id in ids:
        try:
            _apply(shop_id, 1, [], only=event_id)
        except interruptions:
            raise
        except Exception as wrong:
            if is_outage(wrong):
                raise
            _miss(shop_id, event_id, wrong)


def _apply(shop_id: int, most: int, claimed: list[int], only: int | None = None) -> int:
    with unit_of_work(shop_id):
        events = shopify.claim(shop_id, most, only)
        claimed += [event.id for event in events]
        outcomes = {event.id: shopify_topics.apply(_event(event)) for event in events}
        if outcomes:
            shopify.finish(outcomes)
    return len(events)


def _event(row: Row[Any]) -> ShopifyEvent:
    return ShopifyEvent(row.id, row.shop_id, row.topic, row.external_id, row.triggered_at, row.payload)


def _miss(shop_id: int, event_id: int, wrong: Exception) -> None:
    """Note one attempt in vain."""
    failure = name_of(wrong)
    with unit_of_work(shop_id):
        is_dead = shopify.postpone(event_id, failure)
    if is_dead:
        log.error("shopify_event_dead", inbox_id=event_id, shop_id=shop_id, error=failure)
    else:
        place = place_of(wrong)
        log.warning("shopify_event_failed", inbox_id=event_id, shop_id=shop_id, error=failure, place=place)
