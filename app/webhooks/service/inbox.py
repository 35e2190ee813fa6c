"""The inbox itself: what waits, what is forgotten, what an operator looks at and replays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy.engine import Row

from app.core.clock import now
from app.core.phones import mask_phone
from app.core.queue import wake
from app.core.uow import across_shops, after_commit
from app.webhooks import queries
from app.webhooks.errors import EventNotFound
from app.webhooks.models import Topic
from app.webhooks.service.receiving import BELLS

KEPT = timedelta(days=30)
CHUNK = 5000
NUMBER = re.compile(r"\+?\d[\d\s().-]{5,}\d")


def ring_for_waiting() -> None:
    """Ring for every kind of event that is due: the bells at the door may have been lost."""
    with across_shops("events name no shop"):
        waiting = queries.waiting_topics(list(Topic))
    for topic in waiting:
        wake(BELLS[Topic(topic)])


def forget_processed() -> None:
    """Delete events that were done thirty days ago, in chunks. What still waits is never deleted."""
    before, after = now() - KEPT, 0
    last: int | None = 0
    while last is not None:
        after = last
        with across_shops("old events go, whosoever they are"):
            last = queries.forget_chunk(after, before, CHUNK)


def list_events(topic: str | None, *, only_waiting: bool, most: int) -> Sequence[Row[Any]]:
    """The newest events, for an operator."""
    with across_shops("an operator looks at the inbox"):
        return queries.listed(topic, only_waiting=only_waiting, most=most)


def show_event(event_id: int) -> dict[str, object]:
    """One event with numbers masked and without what people wrote. Raises EventNotFound."""
    with across_shops("an operator looks at the inbox"):
        found = queries.event(event_id)
    if found is None:
        raise EventNotFound
    return {**found._asdict(), "payload": {key: _shown(key, value) for key, value in found.payload.items()}}


def replay_events(ids: Sequence[int]) -> int:
    """Make events due again; how many there were. What an event has done already is not done twice."""
    with across_shops("an operator replays events"):
        topics = queries.replay(ids)
        for topic in set(topics):
            after_commit(partial(wake, BELLS[Topic(topic)]))
    return len(topics)


def _shown(key: str, value: object) -> object:
    if key == "text":
        return f"({len(str(value))} characters)"
    if key in {"from", "to"} and value:
        return mask_phone(str(value))
    if key == "reason" and value:
        return NUMBER.sub("•••", str(value))
    return value
