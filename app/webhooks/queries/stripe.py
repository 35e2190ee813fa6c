"""Stripe's part of the inbox in SQL.

Its handlers ask Stripe, so no transaction lasts while they work: an event is claimed with a lease, which is
committed, and runs out when its worker dies.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Row

from app.core.uow import require_unit_of_work

STRIPE = "stripe"
# Longer than any job may take.
LEASE_SECONDS = 120
# The next attempt comes after 5 s, 15 s, 45 s, … at most 6 h: twelve of them in about a day.
FIRST_WAIT_SECONDS, GROWTH, WAIT_SECONDS_MAX = 5, 3, 21_600
MISSES_MAX = 12

STORE = text("""
    INSERT INTO webhook_inbox (provider, topic, external_id, triggered_at, object_key, payload)
    VALUES ('stripe', :topic, :external_id, :created, :object_key, CAST(:payload AS jsonb))
    ON CONFLICT (provider, external_id) DO NOTHING
    RETURNING id""")

# The oldest event that is due, of an object of which no event is claimed and none older is due. That no two
# of one object are claimed is the unique index' word; here it is only made unlikely. What was put off does
# not hold up the events behind it: handlers bear any order. A lease that ran out is a miss.
CLAIM = text("""
    WITH due AS MATERIALIZED (
      SELECT w.id FROM webhook_inbox w
      WHERE w.provider = 'stripe' AND w.processed_at IS NULL AND w.available_at <= now()
        AND (w.claimed_until IS NULL OR w.claimed_until <= now())
        AND NOT EXISTS (
          SELECT FROM webhook_inbox other
          WHERE other.provider = 'stripe' AND other.processed_at IS NULL
            AND other.object_key = w.object_key AND other.id <> w.id
            AND (other.claimed_until IS NOT NULL OR (other.id < w.id AND other.available_at <= now())))
      ORDER BY w.id LIMIT 1 FOR UPDATE OF w SKIP LOCKED)
    UPDATE webhook_inbox w SET
      attempts = w.attempts + CASE WHEN w.claimed_until IS NULL THEN 0 ELSE 1 END,
      claimed_until = now() + :lease_seconds * interval '1 second'
    FROM due WHERE w.id = due.id
    RETURNING w.id, w.payload, w.attempts, w.claimed_until""")

FINISH = text("""
    UPDATE webhook_inbox SET processed_at = now(), outcome = :outcome, failure = NULL, claimed_until = NULL,
      shop_id = coalesce(:shop_id, shop_id)
    WHERE id = :id AND claimed_until = :claimed_until""")

# The waits are spread, so that what failed together does not come back together.
POSTPONE = text("""
    UPDATE webhook_inbox SET
      attempts = attempts + 1, failure = :failure, claimed_until = NULL,
      shop_id = coalesce(:shop_id, shop_id),
      available_at = now() + least(:first * power(:growth, attempts), :most) * (0.75 + random() / 2)
        * interval '1 second',
      processed_at = CASE WHEN attempts + 1 >= :misses_max THEN now() END,
      outcome = CASE WHEN attempts + 1 >= :misses_max THEN :last_word END
    WHERE id = :id AND processed_at IS NULL AND claimed_until = :claimed_until
    RETURNING processed_at IS NOT NULL AS is_over""")

IS_ANY_DUE = text("""
    SELECT EXISTS (SELECT FROM webhook_inbox WHERE provider = 'stripe' AND processed_at IS NULL
      AND available_at <= now() AND (claimed_until IS NULL OR claimed_until <= now()))""")

FIRST_SHOP = text("""
    SELECT id FROM shops WHERE id = ANY(CAST(:ids AS bigint[]))
    ORDER BY array_position(CAST(:ids AS bigint[]), id) LIMIT 1""")

REPLAY = text("""
    UPDATE webhook_inbox SET processed_at = NULL, attempts = 0, outcome = NULL, failure = NULL,
      available_at = now()
    WHERE id = ANY(CAST(:ids AS bigint[])) AND provider = 'stripe' RETURNING id""")


def store(topic: str, external_id: str, created: datetime, object_key: str, payload: str) -> bool:
    """Keep one event that is not kept yet; whether it is new."""
    values = {"topic": topic, "external_id": external_id, "created": created, "object_key": object_key}
    return require_unit_of_work().scalar(STORE, {**values, "payload": payload}) is not None


def claim() -> Row[Any] | None:
    """The oldest event that may be worked on now, for LEASE_SECONDS; None when there is none.

    Raises IntegrityError when another worker has claimed an event of the same object at this moment.
    """
    return require_unit_of_work().execute(CLAIM, {"lease_seconds": LEASE_SECONDS}).first()


def finish(claimed: Row[Any], outcome: str, shop_id: int | None) -> None:
    """The event is done, unless its lease ran out and another worker has it."""
    values = {"id": claimed.id, "claimed_until": claimed.claimed_until}
    require_unit_of_work().execute(FINISH, {**values, "outcome": outcome, "shop_id": shop_id})


def postpone(
    claimed: Row[Any], failure: str, shop_id: int | None, *, misses_max: int = MISSES_MAX, last_word: str
) -> bool:
    """Try the event again later; True when it was tried often enough and ends with `last_word`."""
    values = {
        "id": claimed.id,
        "claimed_until": claimed.claimed_until,
        "failure": failure,
        "shop_id": shop_id,
        "first": FIRST_WAIT_SECONDS,
        "growth": GROWTH,
        "most": WAIT_SECONDS_MAX,
        "misses_max": misses_max,
        "last_word": last_word,
    }
    return bool(require_unit_of_work().scalar(POSTPONE, values))


def is_any_due() -> bool:
    """Whether an event waits for a worker."""
    return bool(require_unit_of_work().scalar(IS_ANY_DUE))


def first_shop(ids: Sequence[int]) -> int | None:
    """The first of these shops that exists."""
    found: int | None = require_unit_of_work().scalar(FIRST_SHOP, {"ids": list(ids)})
    return found


def replay(ids: Sequence[int]) -> int:
    """Make events due again as if they had just come; how many of these are Stripe's."""
    return len(require_unit_of_work().scalars(REPLAY, {"ids": list(ids)}).all())
