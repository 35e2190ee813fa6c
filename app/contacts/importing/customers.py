"""Shopify's customers into contacts: one statement per batch, however many rows it has.

The rules are those of `dated_consent.py`, with one difference: like any import it revives no opt-out, however
new the consent. Only a customer with another number than before is left to the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, NamedTuple

from sqlalchemy import text

from app.contacts.consent_record import take_turn
from app.contacts.importing.merging import array, copy_line
from app.contacts.models import Consent
from app.contacts.suppressed_hashes import recall
from app.core.clock import now
from app.core.uow import require_unit_of_work

MAKE_INCOMING = text("""
CREATE TEMPORARY TABLE incoming_customers (
  row bigint, shopify_id bigint, phone text, region text, first_name text, last_name text, email text,
  tags text[], consent text, consent_at timestamptz, evidence jsonb, updated_at timestamptz,
  email_repeated boolean
) ON COMMIT DROP""")
COPY_INCOMING = "COPY incoming_customers FROM STDIN"
# Statistics are always behind an import: the planner takes the batch and the shop for a few rows, and would
# compare each with each. Looked up by lists and hashed, a batch costs the same whatever the planner believes.
HASH_ONLY = text("SET LOCAL enable_nestloop = off")
ANY_JOIN = text("SET LOCAL enable_nestloop = on")
DROP_INCOMING = text("DROP TABLE incoming_customers")

MERGE = text("""
WITH known AS MATERIALIZED (
  SELECT * FROM contacts WHERE shop_id = :shop_id AND phone = ANY(CAST(:phones AS text[]))
), linked AS MATERIALIZED (
  SELECT id, shopify_customer_id FROM contacts
  WHERE shop_id = :shop_id AND shopify_customer_id = ANY(CAST(:shopify_ids AS bigint[]))
), owner AS MATERIALIZED (
  SELECT id, email FROM contacts WHERE shop_id = :shop_id AND email = ANY(CAST(:emails AS text[]))
), refused AS MATERIALIZED (
  SELECT * FROM suppressions WHERE shop_id = :shop_id AND phone = ANY(CAST(:phones AS text[]))
), told AS MATERIALIZED (
  SELECT phone, max(at) AS at FROM consent_events
  WHERE shop_id = :shop_id AND phone = ANY(CAST(:phones AS text[])) GROUP BY phone
), found AS MATERIALIZED (
  SELECT incoming.*, known.id AS contact_id, known.consent AS consent_before,
         refused.source AS refused_through, refused.created_at AS refused_at,
         owner.id IS DISTINCT FROM known.id AND owner.id IS NOT NULL OR incoming.email_repeated
           AS is_email_taken,
         linked.id IS NOT NULL AND linked.id IS DISTINCT FROM known.id AS has_moved,
         coalesce(known.shopify_customer_id = incoming.shopify_id, true) AS is_theirs,
         coalesce(known.shopify_customer_id = incoming.shopify_id, true)
           AND coalesce(known.shopify_updated_at <= incoming.updated_at, true) AS is_news,
         greatest(told.at, known.consent_at, known.shopify_consent_at, refused.created_at,
                  refused.confirmed_at) AS last_at
  FROM incoming_customers AS incoming
  LEFT JOIN known ON known.phone = incoming.phone
  LEFT JOIN linked ON linked.shopify_customer_id = incoming.shopify_id
  LEFT JOIN owner ON owner.email = incoming.email
  LEFT JOIN refused ON refused.phone = incoming.phone
  LEFT JOIN told ON told.phone = incoming.phone
), judged AS MATERIALIZED (
  SELECT found.*,
         CASE WHEN refused_at IS NOT NULL OR consent_before = 'opted_out' THEN 'opted_out'
              -- of the same second the opt-out wins
              WHEN consent = 'opted_out' AND consent_at >= coalesce(date_trunc('second', last_at), consent_at)
              THEN 'opted_out'
              WHEN consent = 'opted_in' AND (last_at IS NULL OR consent_at > last_at) THEN 'opted_in'
              ELSE coalesce(consent_before, 'unknown') END AS consent_after,
         consent = 'opted_out' AND consent_at >= coalesce(date_trunc('second', last_at), consent_at)
           AS is_withdrawal
  FROM found WHERE NOT has_moved
), merged AS (
  INSERT INTO contacts (shop_id, phone, region, first_name, last_name, email, tags, consent, consent_at,
                        consent_source, unsubscribed_at, shopify_customer_id, shopify_updated_at,
                        shopify_consent, shopify_consent_at, created_at, updated_at)
  SELECT :shop_id, j.phone, coalesce(j.region, c.region),
         CASE WHEN j.is_news THEN coalesce(j.first_name, c.first_name)
              ELSE coalesce(c.first_name, j.first_name) END,
         CASE WHEN j.is_news THEN coalesce(j.last_name, c.last_name)
              ELSE coalesce(c.last_name, j.last_name) END,
         CASE WHEN j.is_email_taken THEN c.email
              WHEN j.is_news THEN coalesce(j.email, c.email) ELSE coalesce(c.email, j.email) END,
         CASE WHEN c.tags IS NULL THEN coalesce(j.tags, '{}')
              WHEN c.tags @> coalesce(j.tags, '{}') THEN c.tags
              ELSE (c.tags || ARRAY(SELECT tag FROM unnest(j.tags) AS tag
                                    WHERE tag <> ALL (c.tags)))[1:50] END,
         j.consent_after,
         CASE WHEN j.consent_after IS NOT DISTINCT FROM c.consent THEN c.consent_at
              WHEN j.consent_after <> 'unknown' THEN coalesce(j.refused_at, j.consent_at) END,
         CASE WHEN j.consent_after IS NOT DISTINCT FROM c.consent THEN c.consent_source
              WHEN j.consent_after <> 'unknown' THEN coalesce(j.refused_through, :source) END,
         CASE WHEN j.consent_after IS NOT DISTINCT FROM c.consent THEN c.unsubscribed_at
              WHEN j.consent_after = 'opted_out' THEN coalesce(j.refused_at, j.consent_at) END,
         coalesce(c.shopify_customer_id, j.shopify_id),
         CASE WHEN j.is_news THEN j.updated_at ELSE c.shopify_updated_at END,
         CASE WHEN j.is_theirs AND j.consent_at >= coalesce(c.shopify_consent_at, j.consent_at) THEN j.consent
              ELSE c.shopify_consent END,
         CASE WHEN j.is_theirs AND j.consent_at >= coalesce(c.shopify_consent_at, j.consent_at)
              THEN j.consent_at ELSE c.shopify_consent_at END,
         :at, :at
  FROM judged AS j LEFT JOIN known AS c ON c.id = j.contact_id
  ORDER BY j.phone COLLATE "C"  -- everybody locks in the same order
  ON CONFLICT (shop_id, phone) DO UPDATE SET
    region = excluded.region, first_name = excluded.first_name, last_name = excluded.last_name,
    email = excluded.email, tags = excluded.tags, consent = excluded.consent,
    consent_at = excluded.consent_at, consent_source = excluded.consent_source,
    unsubscribed_at = excluded.unsubscribed_at,
    shopify_customer_id = excluded.shopify_customer_id, shopify_updated_at = excluded.shopify_updated_at,
    shopify_consent = excluded.shopify_consent, shopify_consent_at = excluded.shopify_consent_at,
    updated_at = excluded.updated_at
  -- a file that says nothing new writes nothing
  WHERE (excluded.region, excluded.first_name, excluded.last_name, excluded.email, excluded.tags,
         excluded.consent, excluded.shopify_customer_id, excluded.shopify_updated_at,
         excluded.shopify_consent, excluded.shopify_consent_at)
    IS DISTINCT FROM
        (contacts.region, contacts.first_name, contacts.last_name, contacts.email, contacts.tags,
         contacts.consent, contacts.shopify_customer_id, contacts.shopify_updated_at,
         contacts.shopify_consent, contacts.shopify_consent_at)
  RETURNING contacts.id, contacts.phone, xmax = 0 AS is_new  -- no earlier version: inserted
), suppressed AS (
  INSERT INTO suppressions (shop_id, phone, source, created_at)
  SELECT :shop_id, phone, :source, consent_at FROM judged WHERE is_withdrawal ORDER BY phone COLLATE "C"
  ON CONFLICT (shop_id, phone) DO UPDATE
    SET confirmed_at = greatest(suppressions.confirmed_at, suppressions.created_at, excluded.created_at)
), recorded AS (
  INSERT INTO consent_events (shop_id, contact_id, phone, action, source, evidence, at)
  SELECT :shop_id, coalesce(judged.contact_id, merged.id), judged.phone,
         CASE consent WHEN 'opted_in' THEN 'grant' ELSE 'withdraw' END, :source, evidence, consent_at
  FROM judged LEFT JOIN merged USING (phone)
  WHERE consent = 'opted_in' AND consent_after = 'opted_in' AND consent_before IS DISTINCT FROM 'opted_in'
     OR is_withdrawal AND (refused_at IS NULL OR consent_before IS DISTINCT FROM 'opted_out')
)
SELECT (SELECT count(*) FROM merged WHERE is_new) AS created,
       (SELECT count(*) FROM found WHERE is_email_taken AND NOT has_moved) AS emails_taken,
       (SELECT count(*) FROM judged WHERE consent = 'opted_in' AND consent_after = 'opted_out')
         AS opt_outs_kept,
       (SELECT coalesce(array_agg(row), '{}') FROM found WHERE has_moved) AS moved
""")


class CustomerRow(NamedTuple):
    """One customer as the file gives it. None means that it says nothing about the field.

    `consent_at` and `updated_at` are instants as Postgres reads them, `evidence` is JSON.
    """

    number: int
    shopify_id: int
    phone: str
    region: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    tags: tuple[str, ...] = ()
    consent: str | None = None
    consent_at: str | None = None
    evidence: str | None = None
    updated_at: str | None = None


@dataclass(frozen=True)
class MergedCustomers:
    """What became of a batch. `moved` are the numbers of the rows that the caller must take one by one."""

    created: int
    emails_taken: int
    opt_outs_kept: int
    moved: list[int]


def merge_customers(shop_id: int, rows: Sequence[CustomerRow]) -> MergedCustomers:
    """Make or update the customers' contacts. A step; the caller may retry it on IntegrityError.

    One row per number and per customer at most: see `one_each`. Doing it again changes nothing.
    """
    if not rows:
        return MergedCustomers(0, 0, 0, [])
    session = require_unit_of_work()
    session.execute(MAKE_INCOMING)
    cursor = session.connection().connection.cursor()
    cursor.copy_expert(COPY_INCOMING, StringIO("".join(_lines(rows))))
    take_turn(shop_id)
    recall(shop_id, (row.phone for row in rows))
    given: dict[str, Any] = {
        "shop_id": shop_id,
        "source": "shopify",
        "at": now(),
        "phones": [row.phone for row in rows],
        "emails": [row.email for row in rows if row.email],
        "shopify_ids": [row.shopify_id for row in rows],
    }
    session.execute(HASH_ONLY)
    result = session.execute(MERGE, given).one()
    session.execute(ANY_JOIN)
    session.execute(DROP_INCOMING)
    return MergedCustomers(result.created, result.emails_taken, result.opt_outs_kept, sorted(result.moved))


def one_each(rows: Sequence[CustomerRow]) -> list[CustomerRow]:
    """The last row of each customer, and of each number; of a number's consents the newest is kept."""
    by_customer = {row.shopify_id: row for row in rows}
    by_phone: dict[str, CustomerRow] = {}
    for row in by_customer.values():
        earlier = by_phone.get(row.phone)
        by_phone[row.phone] = _together(earlier, row) if earlier else row
    return list(by_phone.values())


def _together(earlier: CustomerRow, later: CustomerRow) -> CustomerRow:
    if _strength(earlier) <= _strength(later):
        return later
    return later._replace(consent=earlier.consent, consent_at=earlier.consent_at, evidence=earlier.evidence)


def _strength(row: CustomerRow) -> tuple[str, bool]:
    return row.consent_at or "", row.consent == Consent.OPTED_OUT


def _lines(rows: Sequence[CustomerRow]) -> list[str]:
    emails: set[str] = set()
    lines = []
    for row in rows:
        repeated = row.email in emails
        if row.email:
            emails.add(row.email)
        known = (str(row.number), str(row.shopify_id), *row[2:7], array(row.tags) if row.tags else None)
        lines.append(copy_line((*known, *row[8:], "t" if repeated else "f")))
    return lines
