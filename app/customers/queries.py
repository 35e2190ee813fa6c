"""Reads and writes of customer imports and of what Shopify must be told, each one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from app.contacts.models import CONSENT_TO_TELL
from app.core.uow import across_shops, require_unit_of_work

# A connection that has had no import since it was made, and none under way.
BEGIN = text("""
INSERT INTO customer_imports (shop_id, created_at, next_try_at)
SELECT c.shop_id, :now, :now FROM shopify_connections AS c
WHERE c.shop_id = :shop_id AND c.status = 'active'
  AND (:again OR NOT EXISTS (SELECT FROM customer_imports AS i
                             WHERE i.shop_id = c.shop_id AND i.created_at >= c.installed_at))
ON CONFLICT (shop_id) WHERE status IN ('waiting', 'exporting', 'running') DO NOTHING
""")
# What was begun under an earlier connection is over: its operation belongs to an installation that is gone.
END_OLD = text("""
UPDATE customer_imports AS i
SET status = 'failed', finished_at = :now, failure = 'The shop was disconnected before the import had ended.'
WHERE i.shop_id = :shop_id AND i.status IN ('waiting', 'exporting', 'running')
  AND NOT EXISTS (SELECT FROM shopify_connections AS c
                  WHERE c.shop_id = i.shop_id AND c.status <> 'uninstalled'
                    AND c.installed_at <= i.created_at)
""")
# Who has it until `until` talks to Shopify; when that one dies, the next sweep gives it to another.
CLAIM = text("""
UPDATE customer_imports SET next_try_at = :until
WHERE shop_id = :shop_id AND status IN ('waiting', 'exporting', 'running') AND next_try_at <= :now
RETURNING id
""")
# The finish of an operation that we asked for and whose answer we never got is taken as that answer.
NOTE_FINISHED = text("""
UPDATE customer_imports SET operation_id = :operation_id, next_try_at = least(next_try_at, :now),
  status = CASE status WHEN 'waiting' THEN 'exporting' ELSE status END
WHERE shop_id = :shop_id AND status IN ('waiting', 'exporting')
  AND (operation_id = :operation_id OR operation_id IS NULL)
RETURNING id
""")
WAITING_FOR_IMPORT = text("""
SELECT shop_id FROM customer_imports
WHERE status IN ('waiting', 'exporting', 'running') AND next_try_at <= :now
UNION
SELECT c.shop_id FROM shopify_connections AS c
WHERE c.status = 'active' AND NOT EXISTS (SELECT FROM customer_imports AS i
                                          WHERE i.shop_id = c.shop_id AND i.created_at >= c.installed_at)
ORDER BY shop_id LIMIT 200
""")

NOT_REFUSED = """NOT EXISTS (SELECT FROM consent_refusals AS r
  WHERE r.shop_id = contacts.shop_id AND r.contact_id = contacts.id AND r.consent = contacts.consent
    AND r.consent_at = contacts.consent_at)"""
# The condition is, word for word, that of the partial index.
TO_TELL = text(f"""
SELECT id, shopify_customer_id, consent, consent_at, shopify_consent, shopify_consent_at FROM contacts
WHERE shop_id = :shop_id AND {CONSENT_TO_TELL} AND {NOT_REFUSED}
ORDER BY consent_at LIMIT :most
""")  # noqa: S608 (constants)
SHOPS_TO_TELL = text(f"""
SELECT shop_id FROM shopify_connections AS c
WHERE c.status = 'active'
  AND NOT EXISTS (SELECT FROM consent_pushes AS p WHERE p.shop_id = c.shop_id AND p.next_try_at > :now)
  AND EXISTS (SELECT FROM contacts WHERE contacts.shop_id = c.shop_id AND {CONSENT_TO_TELL} AND {NOT_REFUSED})
ORDER BY shop_id LIMIT 200
""")  # noqa: S608 (constants)
REFUSE = text("""
INSERT INTO consent_refusals (shop_id, contact_id, consent, consent_at, code, refused_at)
SELECT shop_id, id, :consent, :consent_at, :code, :now FROM contacts
WHERE shop_id = :shop_id AND id = :contact_id
ON CONFLICT (shop_id, contact_id) DO UPDATE SET consent = excluded.consent, consent_at = excluded.consent_at,
  code = excluded.code, refused_at = excluded.refused_at
""")
PUT_OFF = text("""
INSERT INTO consent_pushes AS p (shop_id, attempts, next_try_at)
VALUES (:shop_id, 1, CAST(:now AS timestamptz) + :first * interval '1 second')
ON CONFLICT (shop_id) DO UPDATE SET attempts = p.attempts + 1,
  next_try_at = :now + least(:first * 2 ^ least(p.attempts, 20), :longest) * interval '1 second'
""")
IS_PUT_OFF = text("SELECT 1 FROM consent_pushes WHERE shop_id = :shop_id AND next_try_at > :now")
REACHED = text("DELETE FROM consent_pushes WHERE shop_id = :shop_id")


def begin_import(shop_id: int, now: datetime, *, again: bool = False) -> bool:
    """Begin an import if the shop's connection has had none, or `again`. False when nothing was begun."""
    session = require_unit_of_work()
    session.execute(END_OLD, {"shop_id": shop_id, "now": now})
    begun = session.execute(BEGIN, {"shop_id": shop_id, "now": now, "again": again})
    return bool(begun.rowcount)  # type: ignore[attr-defined]


def claim_import(shop_id: int, now: datetime, until: datetime) -> int | None:
    """The unfinished import whose turn it is, for us until then."""
    given = {"shop_id": shop_id, "now": now, "until": until}
    return require_unit_of_work().scalar(CLAIM, given)


def note_finished(shop_id: int, operation_id: str, now: datetime) -> int | None:
    """The import that waits for this operation; it may go on at once."""
    given = {"shop_id": shop_id, "operation_id": operation_id, "now": now}
    return require_unit_of_work().scalar(NOTE_FINISHED, given)


def shops_waiting_for_import(now: datetime) -> list[int]:
    """Shops whose import can go on, or must begin."""
    with across_shops("a sweep looks at the customer imports of every shop") as session:
        return list(session.scalars(WAITING_FOR_IMPORT, {"now": now}))


def shops_to_tell(now: datetime) -> list[int]:
    """Connected shops with a consent that Shopify does not know, and which may be tried."""
    with across_shops("a sweep looks for consent that Shopify was not told") as session:
        return list(session.scalars(SHOPS_TO_TELL, {"now": now}))


def consents_to_tell(shop_id: int, most: int) -> Sequence[Row[Any]]:
    """The oldest consents that Shopify does not know. A step."""
    return require_unit_of_work().execute(TO_TELL, {"shop_id": shop_id, "most": most}).all()


def change(statement: Any, values: Mapping[str, Any]) -> bool:
    """Run one of the statements above; whether it had a row. A step."""
    result = require_unit_of_work().execute(statement, values)
    return bool(result.rowcount)  # type: ignore[attr-defined]
