"""How far each shop has been compared with Shopify, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Row

from app.core.uow import require_unit_of_work

DUE_SHOPS = text("""
    SELECT s.id FROM shops s
    WHERE s.status = 'active' AND (
      (SELECT count(*) FROM reconciliations r WHERE r.shop_id = s.id) < 2
      OR EXISTS (SELECT FROM reconciliations r WHERE r.shop_id = s.id
                 AND (r.started_at IS NOT NULL OR r.finished_at < :before)))
    ORDER BY s.id LIMIT :most""")

# A walk that is under way goes on where it was.
BEGIN = text("""
    INSERT INTO reconciliations AS r (shop_id, kind, seen_until, started_at)
    VALUES (:shop_id, :kind, :first, :at)
    ON CONFLICT (shop_id, kind) DO UPDATE SET started_at = coalesce(r.started_at, :at),
      found = CASE WHEN r.started_at IS NULL THEN 0 ELSE r.found END
    RETURNING seen_until, started_at, page_cursor""")
TURN_PAGE = text("""
    UPDATE reconciliations SET page_cursor = :cursor, found = found + :found
    WHERE shop_id = :shop_id AND kind = :kind AND started_at IS NOT NULL""")
# What changed after the walk began belongs to the next one.
FINISH = text("""
    UPDATE reconciliations SET seen_until = started_at, started_at = NULL, page_cursor = NULL,
      found = found + :found, finished_at = :at
    WHERE shop_id = :shop_id AND kind = :kind AND started_at IS NOT NULL""")

# Only events of the same kind of object: a parcel tells nothing of the rest of its order.
TOLD = text("""
    SELECT object_key, payload ->> 'updated_at' AS updated_at FROM webhook_inbox
    WHERE provider = 'shopify' AND shop_id = :shop_id AND object_key = ANY(CAST(:keys AS text[]))
      AND split_part(topic, '/', 1) IN ('customers', 'orders')
      AND outcome IS DISTINCT FROM 'dead'""")


def due_shops(before: datetime, most: int) -> Sequence[int]:
    """Installed shops that were last compared before `before`, or never, or not to the end."""
    return require_unit_of_work().scalars(DUE_SHOPS, {"before": before, "most": most}).all()


def start_walk(shop_id: int, kind: str, *, at: datetime, first: datetime) -> Row[Any]:
    """Begin a walk, or go on with the one that is under way; `first` is where a shop's very first begins."""
    values = {"shop_id": shop_id, "kind": kind, "at": at, "first": first}
    return require_unit_of_work().execute(BEGIN, values).one()


def turn_page(shop_id: int, kind: str, found: int, cursor: str) -> None:
    """The walk goes on behind `cursor`."""
    values = {"shop_id": shop_id, "kind": kind, "found": found, "cursor": cursor}
    require_unit_of_work().execute(TURN_PAGE, values)


def finish(shop_id: int, kind: str, found: int, *, at: datetime) -> None:
    """The walk is over."""
    values = {"shop_id": shop_id, "kind": kind, "found": found, "at": at}
    require_unit_of_work().execute(FINISH, values)


def told(shop_id: int, keys: Sequence[str]) -> Sequence[Row[Any]]:
    """What the inbox knows of these objects' own times."""
    return require_unit_of_work().execute(TOLD, {"shop_id": shop_id, "keys": list(keys)}).all()
