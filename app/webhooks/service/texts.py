"""Working off the texts that people send us."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy.engine import Row

from app.core.uow import across_shops
from app.integrations.mitto.reports import InboundText
from app.optouts import service as optouts
from app.webhooks import queries
from app.webhooks.models import Topic

SECONDS = 30.0


def receive_replies() -> bool:
    """Obey the texts that are due, each in its own transaction. True when time ran out first."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if not _receive_next():
            return False
    return True


def _receive_next() -> bool:
    """Obey the oldest text; False when none is due. Raises whatever goes wrong with it.

    It is put off before it is read: one text that we cannot read, ever, must not stand in front of a STOP.
    """
    with across_shops("a text names two phone numbers, not a shop"):
        events = queries.claim(Topic.REPLY, 1)
        queries.postpone([event.id for event in events], "refused")
    for event in events:
        with across_shops("a text names two phone numbers, not a shop"):
            queries.finish([event.id], optouts.receive_reply(_text(event), event.id))
    return bool(events)


def _text(event: Row[Any]) -> InboundText:
    post = event.payload
    return InboundText(phone_raw=post["from"], text=post["text"], sent_to=post["to"], event_key="")
