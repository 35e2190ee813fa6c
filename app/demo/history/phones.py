"""The phone inbox of the past: what the last sendings wrote on people's phones, and what they answered.

The texts are those that the senders would have written, with working links.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from app.core.settings import settings
from app.core.uow import unit_of_work
from app.messaging.wording import Renderer
from app.sandbox.store import INSERT_MESSAGES, SCHEMA, TOUCH_CONVERSATIONS
from app.sandbox.ticks import from_text

STATUS = {"sent": "Sent", "delivered": "Delivered", "undelivered": "Failure"}
RECENT = text("""
    SELECT m.id, m.provider_message_id AS name, m.phone, m.first_name, m.last_name, m.state, m.run_id,
      m.sent_at AS at, m.updated_at AS told_at, r.sender
    FROM messages m JOIN message_runs r ON r.shop_id = m.shop_id AND r.id = m.run_id
    WHERE m.shop_id = :shop_id AND m.provider_message_id IS NOT NULL
      AND m.sent_at > now() - interval '7 days'""")
WORDS = text("SELECT id, text, links FROM message_runs WHERE shop_id = :shop_id")
ANSWERS = text("""
    SELECT id, phone, sent_to AS sender, text, received_at AS at FROM inbound_messages
    WHERE shop_id = :shop_id AND received_at > now() - interval '7 days'""")


@dataclass(frozen=True)
class Bubble:
    """One text on a phone's screen, either way."""

    name: str
    is_reply: bool
    phone: str
    sender: str
    words: str
    status: str
    at: datetime
    told_at: datetime


def fill_phones(shop_id: int, store: Path) -> bool:
    """Write the last week into the carrier's file. False when it is there. The sandbox is down."""
    bubbles = sorted(_bubbles(shop_id), key=lambda one: one.at)
    store.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(store) as connection:
        connection.executescript(SCHEMA.read_text(encoding="utf-8"))
        named = [(one.name,) for one in bubbles[:1]]
        if not bubbles or connection.execute("SELECT 1 FROM messages WHERE id = ?", *named).fetchone():
            return False
        last = connection.execute("SELECT coalesce(max(seq), 0) FROM messages").fetchone()[0]
        numbered = list(enumerate(bubbles, last + 1))
        connection.executemany(INSERT_MESSAGES, (_row(seq, one) for seq, one in numbered))
        connection.executemany(TOUCH_CONVERSATIONS, ((one.phone, seq) for seq, one in numbered))
    connection.close()
    return True


def _bubbles(shop_id: int) -> Iterator[Bubble]:
    with unit_of_work(shop_id) as session:
        given = {"shop_id": shop_id}
        words = session.execute(WORDS, given).all()
        texts, answers = session.execute(RECENT, given).all(), session.execute(ANSWERS, given).all()
    secret = settings().link_secrets[0]
    writers = {run.id: Renderer(run.text, len(run.links), secret) for run in words}
    for one in texts:
        values = {"firstName": one.first_name, "lastName": one.last_name, "phone": one.phone}
        body = writers[one.run_id].render(one.id, values)
        yield Bubble(one.name, False, one.phone, one.sender, body, STATUS[one.state], one.at, one.told_at)
    for one in answers:
        yield Bubble(f"REPLY{one.id:021d}", True, one.phone, one.sender, one.text, "Sent", one.at, one.at)


def _row(seq: int, one: Bubble) -> tuple[object, ...]:
    account = settings().mitto_traffic_account_id
    written, told = from_text(one.at.isoformat()), from_text(one.told_at.isoformat())
    return (seq, one.name, one.is_reply, one.phone, one.sender, one.words, account, one.status, written, told)
