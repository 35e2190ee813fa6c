"""The inbox in SQL. Everything here is across shops: the carrier's events name no shop."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Row

from app.core.uow import require_unit_of_work
from app.webhooks.models import Left

MITTO = "mitto"
# Seconds until the next attempt: after the first miss, the second, … A report can overtake the answer to the
# very call that sent its message, by seconds usually, by the lease of a claim (five minutes) at worst.
WAITS = (2, 10, 60, 60, 300, 900, 3600)
MISSES_MAX = len(WAITS) + 1

STORE = text("""
    INSERT INTO webhook_inbox (provider, topic, external_id, payload)
    SELECT :provider, :topic, event.external_id, event.payload
    FROM unnest(CAST(:external_ids AS text[]), CAST(:payloads AS jsonb[])) AS event (external_id, payload)
    ON CONFLICT (provider, external_id) DO NOTHING""")

# The locks last until the events are settled, in the same transaction: two workers never see the same event.
CLAIM = text("""
    SELECT id, payload, attempts, outcome FROM webhook_inbox
    WHERE provider = :provider AND topic = :topic AND processed_at IS NULL AND available_at <= now()
    ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED""")

FINISH = text("""
    UPDATE webhook_inbox SET processed_at = now(), outcome = :outcome
    WHERE id = ANY(CAST(:ids AS bigint[]))""")

POSTPONE = text("""
    UPDATE webhook_inbox SET
      attempts = attempts + 1,
      available_at = now() + coalesce((CAST(:waits AS int[]))[attempts + 1], 0) * interval '1 second',
      processed_at = CASE WHEN attempts + 1 >= :misses_max THEN now() END,
      outcome = CASE WHEN attempts + 1 >= :misses_max THEN :last_word ELSE outcome END
    WHERE id = ANY(CAST(:ids AS bigint[])) AND processed_at IS NULL""")

GIVE_BACK_TRY = text("""
    UPDATE webhook_inbox SET attempts = attempts - 1,
      available_at = CASE WHEN :at_once THEN now() ELSE available_at END
    WHERE id = ANY(CAST(:ids AS bigint[])) AND processed_at IS NULL AND attempts > 0""")

NOTE_LOOK_UP = text("""
    UPDATE webhook_inbox SET outcome = 'looked_up',
      available_at = CASE WHEN :is_resolved THEN now() ELSE available_at END
    WHERE id = ANY(CAST(:ids AS bigint[])) AND processed_at IS NULL""")

WAITING_TOPICS = text("""
    SELECT topic FROM unnest(CAST(:topics AS text[])) AS topic
    WHERE EXISTS (SELECT FROM webhook_inbox w WHERE w.provider = :provider AND w.topic = topic.topic
                  AND w.processed_at IS NULL AND w.available_at <= now())""")

# One step of a walk by id, which is the order of arrival: the walk ends at the first chunk that is too young.
FORGET_CHUNK = text("""
    WITH chunk AS MATERIALIZED (
      SELECT id, received_at FROM webhook_inbox WHERE id > :after ORDER BY id LIMIT :most),
    gone AS (
      DELETE FROM webhook_inbox w USING chunk WHERE w.id = chunk.id AND w.processed_at < :before)
    SELECT max(id) FROM chunk HAVING min(received_at) < :before""")

LIST = text("""
    SELECT id, topic, external_id, received_at, available_at, processed_at, attempts, outcome, failure
    FROM webhook_inbox
    WHERE (:topic IS NULL OR topic = :topic)
      AND (NOT :only_waiting OR processed_at IS NULL)
    ORDER BY id DESC LIMIT :most""")

LIST_LEFT = text("""
    SELECT id, topic, external_id, received_at, available_at, processed_at, attempts, outcome, failure
    FROM webhook_inbox
    WHERE provider IN ('shopify', 'stripe') AND outcome = :outcome
      AND (CAST(:topic AS text) IS NULL OR topic = :topic)
    ORDER BY id DESC LIMIT :most""")
LEFT_IDS = text("""
    SELECT id FROM webhook_inbox
    WHERE provider IN ('shopify', 'stripe') AND outcome = :outcome
      AND (CAST(:topic AS text) IS NULL OR topic = :topic)
    ORDER BY id LIMIT :most""")
COUNT_LEFT = text("""
    SELECT provider, outcome, count(*) AS events FROM webhook_inbox
    WHERE provider IN ('shopify', 'stripe')
      AND outcome IN ('dead', 'no_handler', 'unmatched', 'wrong_mode')
    GROUP BY provider, outcome ORDER BY provider, outcome""")

SHOW = text("SELECT * FROM webhook_inbox WHERE id = :id")

REPLAY = text("""
    UPDATE webhook_inbox SET processed_at = NULL, attempts = 0, outcome = NULL, available_at = now()
    WHERE id = ANY(CAST(:ids AS bigint[])) AND provider = :provider RETURNING topic""")


def store(topic: str, events: Mapping[str, Mapping[str, object]]) -> None:
    """Keep events (payloads by external id) that are not kept yet, in one statement."""
    # Sorted: two posts with the same events in another order would wait for each other.
    external_ids = sorted(events)
    payloads = [json.dumps(events[external_id]) for external_id in external_ids]
    require_unit_of_work().execute(
        STORE, {"provider": MITTO, "topic": topic, "external_ids": external_ids, "payloads": payloads}
    )


def claim(topic: str, most: int) -> Sequence[Row[Any]]:
    """Up to `most` events that are due, the oldest first, locked for this transaction."""
    return require_unit_of_work().execute(CLAIM, {"provider": MITTO, "topic": topic, "most": most}).all()


def finish(ids: Sequence[int], outcome: str) -> None:
    """The events are done."""
    require_unit_of_work().execute(FINISH, {"ids": list(ids), "outcome": outcome})


def postpone(ids: Sequence[int], last_word: str) -> None:
    """Try the events again later; those tried often enough are done, with `last_word` as outcome."""
    values = {"ids": list(ids), "waits": list(WAITS), "misses_max": MISSES_MAX, "last_word": last_word}
    require_unit_of_work().execute(POSTPONE, values)


def give_back_try(ids: Sequence[int], *, at_once: bool) -> None:
    """The last attempt at these events does not count; `at_once` makes them due now."""
    require_unit_of_work().execute(GIVE_BACK_TRY, {"ids": list(ids), "at_once": at_once})


def note_look_up(ids: Sequence[int], *, is_resolved: bool) -> None:
    """Remember that the carrier was asked; what it could tell apart is due at once."""
    require_unit_of_work().execute(NOTE_LOOK_UP, {"ids": list(ids), "is_resolved": is_resolved})


def waiting_topics(topics: Sequence[str]) -> Sequence[str]:
    """Those of `topics` that have an event due."""
    values = {"provider": MITTO, "topics": list(topics)}
    return require_unit_of_work().scalars(WAITING_TOPICS, values).all()


def forget_chunk(after: int, before: datetime, most: int) -> int | None:
    """Among the `most` events after id `after`, delete what was done before `before`.

    Gives the last id to go on from, None when all events from here on are younger.
    """
    values = {"after": after, "before": before, "most": most}
    last: int | None = require_unit_of_work().scalar(FORGET_CHUNK, values)
    return last


def listed(
    topic: str | None, *, only_waiting: bool, most: int, outcome: str | None = None
) -> Sequence[Row[Any]]:
    """The newest events, without their payloads; with `outcome` Shopify's and Stripe's that ended so."""
    values = {"topic": topic, "only_waiting": only_waiting, "most": most, "outcome": outcome}
    return require_unit_of_work().execute(LIST_LEFT if outcome else LIST, values).all()


def event(event_id: int) -> Row[Any] | None:
    """One event, whole."""
    return require_unit_of_work().execute(SHOW, {"id": event_id}).first()


def replay(ids: Sequence[int]) -> Sequence[str]:
    """Make the carrier's events due again as if they had just come; the topic of each that exists."""
    return require_unit_of_work().scalars(REPLAY, {"ids": list(ids), "provider": MITTO}).all()


def left_ids(outcome: Left, topic: str | None, most: int) -> Sequence[int]:
    """Events of Shopify and Stripe without effect, the oldest first."""
    values = {"outcome": outcome, "topic": topic, "most": most}
    return require_unit_of_work().scalars(LEFT_IDS, values).all()


def count_left() -> dict[str, dict[str, int]]:
    """How many events without effect there are, by provider and outcome."""
    counts: dict[str, dict[str, int]] = {}
    for row in require_unit_of_work().execute(COUNT_LEFT):
        counts.setdefault(row.provider, {})[row.outcome] = int(row.events)
    return counts
