"""Texts that people send to us: whom they answer, and where they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import text

from app.core.cache import changed
from app.core.uow import require_unit_of_work

# The unique key of messages leads with the phone. Only what may have left the house can be answered; a reply
# to a number goes to the shop that sends from that number before any other.
LAST_MESSAGE_TO = text("""
    SELECT m.shop_id, m.contact_id, m.run_id, m.id AS message_id
    FROM messages m JOIN message_runs r ON r.shop_id = m.shop_id AND r.id = m.run_id
    WHERE m.phone = :phone AND m.state IN ('claimed', 'unknown', 'sent', 'delivered', 'undelivered')
    ORDER BY r.sender = ANY(CAST(:senders AS text[])) DESC, m.id DESC
    LIMIT 1""")

STORE_REPLY = text("""
    INSERT INTO inbound_messages (shop_id, inbox_id, contact_id, phone, sent_to, text, intent, needs_review)
    VALUES (:shop_id, :inbox_id, :contact_id, :phone, :sent_to, :text, :intent, :needs_review)
    ON CONFLICT (inbox_id) DO NOTHING RETURNING id""")


@dataclass(frozen=True)
class Answered:
    """The message that a reply answers."""

    shop_id: int
    contact_id: int | None
    run_id: int
    message_id: int


@dataclass(frozen=True)
class ReadReply:
    """A text from a person, and what it was understood to mean."""

    phone: str
    sent_to: str | None
    text: str
    intent: str
    needs_review: bool


def last_message_to(phone: str, *, senders: Sequence[str] = ()) -> Answered | None:
    """The last message that may have reached `phone`, rather from one of `senders`. A step across shops."""
    session = require_unit_of_work()
    row = session.execute(LAST_MESSAGE_TO, {"phone": phone, "senders": list(senders)}).first()
    return Answered(**row._asdict()) if row else None


def store_reply(inbox_id: int, reply: ReadReply, answered: Answered | None) -> bool:
    """Keep a reply, for the answered message's shop or for none. False when it is kept already.

    A step across shops, once per `inbox_id`.
    """
    row = {
        "shop_id": answered and answered.shop_id,
        "contact_id": answered and answered.contact_id,
        "inbox_id": inbox_id,
        **asdict(reply),
    }
    if answered:
        changed(answered.shop_id, "figures")
    return require_unit_of_work().scalar(STORE_REPLY, row) is not None
