"""Taking people out of messages. Rows, parts and states stay: they are what the books and counters rest on.

An erased message has `redacted:<id>` for a phone: the unique key still holds, and nothing can be sent to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from app.core.uow import require_unit_of_work
from app.credits import service as credits
from app.messaging import queries

# What has not left the house never will. Messages first, then runs, both by id: the lock order.
SKIP = text("""
    WITH picked AS MATERIALIZED (
      SELECT id FROM messages
      WHERE shop_id = :shop_id AND state = 'pending'
        AND (CAST(:phones AS text[]) IS NULL OR phone = ANY(CAST(:phones AS text[])))
      ORDER BY id LIMIT :most FOR UPDATE),
    moved AS (
      UPDATE messages m SET state = 'skipped', failure = 'erased', updated_at = now()
      FROM picked WHERE m.id = picked.id RETURNING m.run_id, m.parts),
    runs AS MATERIALIZED (
      SELECT id FROM message_runs WHERE id IN (SELECT run_id FROM moved) ORDER BY id FOR UPDATE),
    tally AS (SELECT run_id, count(*) AS total, sum(parts)::bigint AS parts FROM moved GROUP BY run_id),
    counted AS (
      UPDATE message_runs r SET pending = r.pending - t.total, skipped = r.skipped + t.total,
        updated_at = now()
      FROM tally t, runs WHERE r.id = t.run_id AND r.id = runs.id)
    SELECT run_id, total, parts FROM tally ORDER BY run_id""")

# What is claimed is on its way at this moment: it is erased when its fate is known.
ERASE = text("""
    WITH picked AS MATERIALIZED (
      SELECT id FROM messages
      WHERE shop_id = :shop_id AND state NOT IN ('pending', 'claimed')
        AND (CASE WHEN CAST(:phones AS text[]) IS NULL THEN phone LIKE '+%'
                  ELSE phone = ANY(CAST(:phones AS text[])) END)
      ORDER BY id LIMIT :most FOR UPDATE)
    UPDATE messages m SET phone = 'redacted:' || m.id, first_name = NULL, last_name = NULL, merge = NULL,
      contact_id = NULL
    FROM picked WHERE m.id = picked.id
    RETURNING m.id""")

FORGET_CLICKERS = text("""
    UPDATE click_events SET contact_id = NULL
    WHERE shop_id = :shop_id AND message_id = ANY(CAST(:ids AS bigint[])) AND contact_id IS NOT NULL""")

HAS_LEFT = text("""
    SELECT EXISTS (SELECT FROM messages WHERE shop_id = :shop_id
      AND (CASE WHEN CAST(:phones AS text[]) IS NULL THEN phone LIKE '+%'
                ELSE phone = ANY(CAST(:phones AS text[])) END))""")

FORGET_REPLIES = text("""
    DELETE FROM inbound_messages WHERE shop_id = :shop_id
      AND (CAST(:phones AS text[]) IS NULL OR phone = ANY(CAST(:phones AS text[])))""")
REPLIES = text("""
    SELECT inbox_id FROM inbound_messages WHERE shop_id = :shop_id
      AND (CAST(:phones AS text[]) IS NULL OR phone = ANY(CAST(:phones AS text[])))""")

Phones = Sequence[str] | None


def skip_pending(shop_id: int, phones: Phones, most: int = 5000) -> int:
    """Skip messages to these numbers (None: to everybody) that have not left; gives their credits back.

    A step. How many there were; call it until there are none.
    """
    session = require_unit_of_work()
    rows = session.execute(SKIP, _values(shop_id, phones, most)).all()
    turn = session.scalar(queries.TRANSACTION_ID)
    for row in rows:
        credits.release(shop_id, row.run_id, row.parts, key=f"run:{row.run_id}:erase:{turn}")
    return sum(row.total for row in rows)


def erase_people(shop_id: int, phones: Phones, most: int = 5000) -> int:
    """Take the people out of messages to these numbers (None: all), and out of the clicks on them.

    A step. How many messages there were; call it until there are none.
    """
    session = require_unit_of_work()
    ids = session.scalars(ERASE, _values(shop_id, phones, most)).all()
    if ids:
        session.execute(FORGET_CLICKERS, {"shop_id": shop_id, "ids": list(ids)})
    return len(ids)


def is_anybody_left(shop_id: int, phones: Phones) -> bool:
    """Whether some message still names one of these numbers, as those that are on their way do. A step."""
    return bool(require_unit_of_work().scalar(HAS_LEFT, {"shop_id": shop_id, "phones": _given(phones)}))


def replies_of(shop_id: int, phones: Phones) -> Sequence[int]:
    """The inbox events behind the texts that these people sent. A step."""
    values = {"shop_id": shop_id, "phones": _given(phones)}
    return require_unit_of_work().scalars(REPLIES, values).all()


def forget_replies(shop_id: int, phones: Phones) -> int:
    """Delete the texts that these people sent; how many. A step."""
    values = {"shop_id": shop_id, "phones": _given(phones)}
    done = require_unit_of_work().execute(FORGET_REPLIES, values)
    return int(done.rowcount)  # type: ignore[attr-defined]


def _values(shop_id: int, phones: Phones, most: int) -> dict[str, Any]:
    return {"shop_id": shop_id, "phones": _given(phones), "most": most}


def _given(phones: Phones) -> list[str] | None:
    return None if phones is None else sorted(phones)
