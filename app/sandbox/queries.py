"""Reads of the store, as the pages and the inspection need them. Each walks an index and has a limit."""

import json
import sqlite3
from typing import Any

from app.sandbox.parts import count_parts
from app.sandbox.store import Store
from app.sandbox.ticks import to_text

CONVERSATIONS = """
SELECT c.phone, c.last_seq > c.read_seq AND m.is_reply = 0 AS unread,
    m.sender, m.text, m.is_reply, m.created_at, m.status
FROM conversations AS c JOIN messages AS m ON m.seq = c.last_seq
ORDER BY c.last_seq DESC LIMIT ?
"""
# A number is looked for in the list of phones alone; words also in the last text and the sender's name.
CONVERSATIONS_BY_PHONE = CONVERSATIONS.replace("ORDER BY", "WHERE instr(c.phone, ?) ORDER BY")
CONVERSATIONS_BY_WORDS = CONVERSATIONS.replace(
    "ORDER BY", "WHERE m.text LIKE ?1 ESCAPE '!' OR m.sender LIKE ?1 ESCAPE '!' ORDER BY"
)
LATEST = "SELECT * FROM messages WHERE phone = ? AND seq < ? ORDER BY seq DESC LIMIT ?"
NEWER = "SELECT * FROM messages WHERE phone = ? AND seq > ? ORDER BY seq LIMIT ?"
EVERYTHING = "SELECT * FROM messages WHERE seq > ? AND created_at >= ? AND is_reply = 0 ORDER BY seq LIMIT ?"
OF_ONE_PHONE = EVERYTHING.replace("seq > ? AND", "phone = ? AND seq > ? AND")
UNSETTLED = "SELECT id, phone, sender FROM messages WHERE status = 'Sent' AND is_reply = 0"
END_OF_TIME = 2**62


def conversations(store: Store, *, search: str, limit: int) -> list[dict[str, Any]]:
    """The phones, the one with the newest text first."""
    digits = "".join(char for char in search if char not in " -()")
    if not search:
        found = store.rows(CONVERSATIONS, (limit,))
    elif digits.removeprefix("+").isdigit():
        found = store.rows(CONVERSATIONS_BY_PHONE, (digits, limit))
    else:
        found = store.rows(CONVERSATIONS_BY_WORDS, (_pattern(search), limit))
    return [
        {
            "phone": row["phone"],
            "sender": row["sender"],
            "text": row["text"][:160],
            "isReply": bool(row["is_reply"]),
            "status": row["status"],
            "unread": bool(row["unread"]),
            "at": to_text(row["created_at"]),
        }
        for row in found
    ]


def conversation(
    store: Store, phone: str, *, after: int | None = None, before: int | None = None, limit: int
) -> list[dict[str, Any]]:
    """One phone's bubbles, oldest first: the ones after `after`, else the latest ones before `before`."""
    if after is not None:
        found = store.rows(NEWER, (phone, after, limit))
    else:
        found = store.rows(LATEST, (phone, END_OF_TIME if before is None else before, limit))[::-1]
    return [_bubble(row) for row in found]


def accepted_messages(
    store: Store, *, phone: str | None, since: int, after: int, limit: int
) -> list[dict[str, Any]]:
    """Accepted messages in the order of acceptance, for assertions. `since` in ticks, `after` a seq."""
    if phone:
        found = store.rows(OF_ONE_PHONE, (phone, after, since, limit))
    else:
        found = store.rows(EVERYTHING, (after, since, limit))
    return [{"seq": row["seq"], "phone": row["phone"]} | as_carrier_message(row) for row in found]


def find_message(store: Store, message_id: str) -> sqlite3.Row | None:
    """One accepted message by the carrier's id."""
    found = store.rows("SELECT * FROM messages WHERE id = ? AND is_reply = 0", (message_id,))
    return found[0] if found else None


def last_sender(store: Store, phone: str) -> str | None:
    """Who wrote to this phone last; None if nobody ever did."""
    found = store.rows("SELECT sender FROM messages WHERE phone = ? ORDER BY seq DESC LIMIT 1", (phone,))
    return found[0]["sender"] if found else None


def unsettled_messages(store: Store) -> list[sqlite3.Row]:
    """Accepted messages without an outcome: what a restarted sandbox still owes."""
    return store.rows(UNSETTLED)


def webhooks(store: Store) -> list[dict[str, Any]]:
    """The registered callbacks."""
    found = store.rows("SELECT id, body FROM webhooks ORDER BY id")
    return [{"id": row["id"]} | json.loads(row["body"]) for row in found]


def as_carrier_message(row: sqlite3.Row) -> dict[str, Any]:
    """A message with the full set of fields that the carrier's status lookup answers."""
    sender = row["sender"]
    return {
        "messageId": row["id"],
        "trafficAccountId": row["account"],
        "text": row["text"],
        "mediaUrl": None,
        "sender": {"id": f"sender-{sender}", "name": sender, "messagingAppIdentifier": sender},
        "conversation": {"id": f"conversation-{row['phone'].lstrip('+')}", "participants": []},
        "createdAt": to_text(row["created_at"]),
        "updatedAt": to_text(row["updated_at"]),
        "deliveryStatus": row["status"],
        "description": row["description"],
        "messageParts": count_parts(row["text"]).parts,
        "quotedMessageId": None,
        "reference": None,
        "requestInfo": {"sms": {"sender": sender, "text": row["text"]}},
    }


def _bubble(row: sqlite3.Row) -> dict[str, Any]:
    count = count_parts(row["text"])
    return {
        "seq": row["seq"],
        "id": row["id"],
        "isReply": bool(row["is_reply"]),
        "sender": row["sender"],
        "text": row["text"],
        "status": row["status"],
        "description": row["description"],
        "parts": count.parts,
        "encoding": count.encoding,
        "at": to_text(row["created_at"]),
    }


def _pattern(search: str) -> str:
    quoted = search.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{quoted}%"
