"""The inbox itself: what waits, what is forgotten, what an operator looks at and replays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy.engine import Row

from app.core.clock import now
from app.core.queue import wake
from app.core.uow import across_shops, after_commit
from app.webhooks import queries
from app.webhooks.errors import EventNotFound
from app.webhooks.models import Left, Topic
from app.webhooks.queries import shopify, stripe
from app.webhooks.service import shopify_receiving, stripe_receiving
from app.webhooks.service.receiving import BELLS
from app.webhooks.service.showing import shown_of_carrier, shown_of_shopify, shown_of_stripe

KEPT = timedelta(days=30)
CHUNK = 5000


def ring_for_waiting() -> None:
    """Ring for every kind of event that is due: the bells at the door may have been lost."""
    with across_shops("events name no shop"):
        waiting = queries.waiting_topics(list(Topic))
        shops = shopify.waiting_shops()
        is_stripe_waiting = stripe.is_any_due()
    for topic in waiting:
        wake(BELLS[Topic(topic)])
    for shop_id in shops:
        wake(shopify_receiving.BELL, shop_id)
    if is_stripe_waiting:
        wake(stripe_receiving.BELL)


def forget_processed() -> None:
    """Delete events that were done thirty days ago, in chunks. What still waits is never deleted."""
    before, after = now() - KEPT, 0
    last: int | None = 0
    while last is not None:
        after = last
        with across_shops("old events go, whosoever they are"):
            last = queries.forget_chunk(after, before, CHUNK)


def list_events(
    topic: str | None, *, only_waiting: bool, most: int, left: Left | None = None
) -> Sequence[Row[Any]]:
    """The newest events, for an operator; with `left` Shopify's and Stripe's that had no effect."""
    with across_shops("an operator looks at the inbox"):
        return queries.listed(topic, only_waiting=only_waiting, most=most, outcome=left)


def count_left(provider: str = shopify.SHOPIFY) -> dict[str, int]:
    """How many of a provider's events had no effect and wait for a replay, by reason."""
    with across_shops("an operator looks at the inbox"):
        return queries.count_left().get(provider, {})


def show_event(event_id: int) -> dict[str, object]:
    """One event with numbers masked and without what people wrote. Raises EventNotFound."""
    with across_shops("an operator looks at the inbox"):
        found = queries.event(event_id)
    if found is None:
        raise EventNotFound
    if found.provider == shopify.SHOPIFY:
        payload = shown_of_shopify(found.payload)
    elif found.provider == stripe.STRIPE:
        payload = shown_of_stripe(found.payload)
    else:
        payload = {key: shown_of_carrier(key, value) for key, value in found.payload.items()}
    return {**found._asdict(), "payload": payload}


def replay_events(ids: Sequence[int]) -> int:
    """Make events due again; how many there were. What an event has done already is not done twice."""
    with across_shops("an operator replays events"):
        topics = queries.replay(ids)
        for topic in set(topics):
            after_commit(partial(wake, BELLS[Topic(topic)]))
        of_shops = shopify.replay(ids)
        for shop_id in {event.shop_id for event in of_shops if event.is_due}:
            after_commit(partial(wake, shopify_receiving.BELL, shop_id))
        of_stripe = stripe.replay(ids)
        if of_stripe:
            after_commit(partial(wake, stripe_receiving.BELL))
    return len(topics) + sum(event.is_due for event in of_shops) + of_stripe


def replay_left(outcome: Left, topic: str | None, most: int) -> int:
    """Make Shopify's and Stripe's events without effect due again, the oldest first; how many became due."""
    with across_shops("an operator replays events"):
        ids = queries.left_ids(outcome, topic, most)
    return replay_events(ids)
