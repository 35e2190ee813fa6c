"""Shopify's part of the inbox in SQL. Its events name their shop, and are worked on shop by shop."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Row

from app.core.uow import require_unit_of_work
from app.webhooks.queries import MISSES_MAX, WAITS

SHOPIFY = "shopify"

# The shop is looked up in the statement that stores: what nobody has installed is kept, but nobody's.
STORE = text("""
    INSERT INTO webhook_inbox (provider, topic, external_id, shop_id, shop_domain, triggered_at, object_key,
      customer_id, payload, processed_at, outcome)
    SELECT 'shopify', :topic, :external_id, shop.id, :domain, coalesce(:triggered_at, now()), :object_key,
      :customer_id, CAST(:payload AS jsonb),
      CASE WHEN shop.id IS NULL THEN now() END, CASE WHEN shop.id IS NULL THEN 'unmatched' END
    FROM (VALUES (1)) AS one LEFT JOIN shops shop ON shop.domain = :matched_domain
    ON CONFLICT (provider, external_id) DO NOTHING
    RETURNING shop_id""")

# Events that we made ourselves, of one shop; what came by itself meanwhile is not doubled by effect, because
# handlers judge by the object's own time.
STORE_MANY = text("""
    INSERT INTO webhook_inbox (provider, topic, external_id, shop_id, shop_domain, triggered_at, object_key,
      customer_id, payload)
    SELECT 'shopify', e.topic, e.external_id, :shop_id, :domain, e.triggered_at, e.object_key, e.customer_id,
      CAST(e.payload AS jsonb)
    FROM unnest(CAST(:topics AS text[]), CAST(:external_ids AS text[]), CAST(:triggered_at AS timestamptz[]),
      CAST(:object_keys AS text[]), CAST(:customer_ids AS bigint[]), CAST(:payloads AS text[]))
      AS e (topic, external_id, triggered_at, object_key, customer_id, payload)
    ON CONFLICT (provider, external_id) DO NOTHING
    RETURNING id""")

# Two locks, both until the events are settled in the same transaction. The row's: no event is claimed twice.
# The object's: no two events of one order are claimed by two workers, whatever their topics. Both must be in
# MATERIALIZED parts, or the planner might lock more than it gives.
CLAIM = text("""
    WITH due AS MATERIALIZED (
      SELECT id, object_key FROM webhook_inbox
      WHERE provider = 'shopify' AND shop_id = :shop_id AND processed_at IS NULL AND available_at <= now()
        AND (CAST(:only AS bigint) IS NULL OR id = :only)
      ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED),
    mine AS MATERIALIZED (
      SELECT id FROM due WHERE pg_try_advisory_xact_lock(
        hashtextextended('shopify object ' || CAST(:shop_id AS text) || ' ' || object_key, 0)))
    SELECT w.id, w.shop_id, w.topic, w.external_id, w.triggered_at, w.payload
    FROM webhook_inbox w JOIN mine ON mine.id = w.id ORDER BY w.triggered_at, w.id""")

FINISH = text("""
    UPDATE webhook_inbox w SET processed_at = now(), outcome = done.outcome, failure = NULL
    FROM unnest(CAST(:ids AS bigint[]), CAST(:outcomes AS text[])) AS done (id, outcome)
    WHERE w.id = done.id""")

POSTPONE = text("""
    UPDATE webhook_inbox SET
      attempts = attempts + 1, failure = :failure,
      available_at = now() + coalesce((CAST(:waits AS int[]))[attempts + 1], 0) * interval '1 second',
      processed_at = CASE WHEN attempts + 1 >= :misses_max THEN now() END,
      outcome = CASE WHEN attempts + 1 >= :misses_max THEN 'dead' END
    WHERE id = :id AND processed_at IS NULL
    RETURNING outcome = 'dead' AS is_dead""")

# The index is walked from shop to shop, not from event to event.
WAITING_SHOPS = text("""
    WITH RECURSIVE shop AS (
      (SELECT shop_id FROM webhook_inbox WHERE provider = 'shopify' AND processed_at IS NULL
        AND shop_id IS NOT NULL ORDER BY shop_id LIMIT 1)
      UNION ALL
      SELECT (SELECT w.shop_id FROM webhook_inbox w WHERE w.provider = 'shopify' AND w.processed_at IS NULL
                AND w.shop_id > shop.shop_id ORDER BY w.shop_id LIMIT 1)
      FROM shop WHERE shop.shop_id IS NOT NULL)
    SELECT shop_id FROM shop WHERE shop_id IS NOT NULL AND EXISTS (
      SELECT FROM webhook_inbox w WHERE w.provider = 'shopify' AND w.processed_at IS NULL
        AND w.shop_id = shop.shop_id AND w.available_at <= now())""")

# What nobody had installed may have been installed since.
REPLAY = text("""
    UPDATE webhook_inbox w SET attempts = 0, failure = NULL, available_at = now(),
      shop_id = coalesce(w.shop_id, shop.id),
      processed_at = CASE WHEN coalesce(w.shop_id, shop.id) IS NULL THEN w.processed_at END,
      outcome = CASE WHEN coalesce(w.shop_id, shop.id) IS NULL THEN w.outcome END
    FROM webhook_inbox found LEFT JOIN shops shop ON shop.domain = found.shop_domain
    WHERE w.id = found.id AND found.id = ANY(CAST(:ids AS bigint[])) AND found.provider = 'shopify'
    RETURNING w.shop_id, w.processed_at IS NULL AS is_due""")

Values = Mapping[str, object]


def store(values: Values, payload: str) -> tuple[bool, int | None]:
    """Keep one event that is not kept yet; whether it is new, and whose it is."""
    stored = require_unit_of_work().execute(STORE, {**values, "payload": payload}).first()
    return (False, None) if stored is None else (True, stored.shop_id)


def store_many(shop_id: int, domain: str, events: Sequence[Values]) -> int:
    """Keep events of one shop that are not kept yet, in one statement; how many those were."""
    ordered = sorted(events, key=lambda event: str(event["external_id"]))
    columns = {
        name: [event[key] for event in ordered]
        for name, key in (
            ("topics", "topic"),
            ("external_ids", "external_id"),
            ("triggered_at", "triggered_at"),
            ("object_keys", "object_key"),
            ("customer_ids", "customer_id"),
        )
    }
    payloads = [json.dumps(event["payload"]) for event in ordered]
    values = {"shop_id": shop_id, "domain": domain, "payloads": payloads, **columns}
    return len(require_unit_of_work().execute(STORE_MANY, values).all())


def claim(shop_id: int, most: int, only: int | None = None) -> Sequence[Row[Any]]:
    """Up to `most` events of the shop that are due, in the order in which they were caused."""
    values = {"shop_id": shop_id, "most": most, "only": only}
    return require_unit_of_work().execute(CLAIM, values).all()


def finish(outcomes: Mapping[int, str]) -> None:
    """The events are done, each with its outcome."""
    values = {"ids": list(outcomes), "outcomes": list(outcomes.values())}
    require_unit_of_work().execute(FINISH, values)


def postpone(event_id: int, failure: str) -> bool:
    """Try the event again later; True when it was tried often enough and is a dead letter now."""
    values = {"id": event_id, "failure": failure, "waits": list(WAITS), "misses_max": MISSES_MAX}
    return bool(require_unit_of_work().scalar(POSTPONE, values))


def waiting_shops() -> Sequence[int]:
    """Shops that have an event due."""
    return require_unit_of_work().scalars(WAITING_SHOPS).all()


def replay(ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Make events due again as if they had just come; the shop of each that exists."""
    return require_unit_of_work().execute(REPLAY, {"ids": list(ids)}).all()
