"""Rows into contacts: one statement per batch, however many rows it has.

It writes the projection of consent itself, because a second pass over the rows would double the cost. The
rules are those of `consent.py`, whose turn it takes: a row may add a consent or an opt-out, and revives none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from sqlalchemy import text

from app.contacts import consent, suppressed_hashes
from app.contacts.importing.rows import Problem, Row, together
from app.core.clock import now
from app.core.uow import require_unit_of_work

EMAIL_TAKEN = "This e-mail belongs to another contact. The contact was kept without it."
HAS_OPTED_OUT = "This number has opted out. An import does not change that."

MAKE_INCOMING = text("""
CREATE TEMPORARY TABLE incoming_rows (
  row integer, phone text, region text, first_name text, last_name text, email text, gender text,
  birth_date date, consent text, tags text[], email_repeated boolean
) ON COMMIT DROP""")
# A tenant's table cannot be copied into under row-level security; a temporary one of our own can.
COPY_INCOMING = "COPY incoming_rows FROM STDIN"
DROP_INCOMING = text("DROP TABLE incoming_rows")

MERGE = text("""
WITH known AS MATERIALIZED (
  SELECT incoming.*, contacts.consent AS consent_before,
         suppressions.source AS refused_through, suppressions.created_at AS refused_at,
         coalesce(owner.phone <> incoming.phone, incoming.email_repeated) AS is_email_taken,
         CASE WHEN suppressions.phone IS NOT NULL OR 'opted_out' IN (contacts.consent, incoming.consent)
              THEN 'opted_out'
              -- a row that says nothing leaves what is
              ELSE coalesce(incoming.consent, contacts.consent, 'unknown') END AS consent_after
  FROM incoming_rows AS incoming
  LEFT JOIN contacts ON contacts.shop_id = :shop_id AND contacts.phone = incoming.phone
  LEFT JOIN contacts AS owner ON owner.shop_id = :shop_id AND owner.email = incoming.email
  LEFT JOIN suppressions ON suppressions.shop_id = :shop_id AND suppressions.phone = incoming.phone
), merged AS (
  INSERT INTO contacts (shop_id, phone, region, first_name, last_name, email, gender, birth_date, tags,
                        consent, consent_at, consent_source, unsubscribed_at, created_at, updated_at)
  SELECT :shop_id, phone, region, first_name, last_name, CASE WHEN NOT is_email_taken THEN email END, gender,
         birth_date, coalesce(tags, '{}'), consent_after,
         CASE WHEN consent_after <> 'unknown' THEN coalesce(refused_at, :at) END,
         CASE WHEN consent_after <> 'unknown' THEN coalesce(refused_through, :source) END,
         CASE WHEN consent_after = 'opted_out' THEN coalesce(refused_at, :at) END,
         :at, :at
  FROM known
  ORDER BY phone COLLATE "C"  -- everybody locks in the same order
  ON CONFLICT (shop_id, phone) DO UPDATE SET
    region = excluded.region,
    first_name = coalesce(excluded.first_name, contacts.first_name),
    last_name = coalesce(excluded.last_name, contacts.last_name),
    email = coalesce(excluded.email, contacts.email),
    gender = coalesce(excluded.gender, contacts.gender),
    birth_date = coalesce(excluded.birth_date, contacts.birth_date),
    tags = coalesce(nullif(excluded.tags, '{}'), contacts.tags),
    consent = excluded.consent,
    consent_at = CASE WHEN contacts.consent = excluded.consent THEN contacts.consent_at
                      ELSE excluded.consent_at END,
    consent_source = CASE WHEN contacts.consent = excluded.consent THEN contacts.consent_source
                          ELSE excluded.consent_source END,
    unsubscribed_at = CASE WHEN contacts.consent = excluded.consent THEN contacts.unsubscribed_at
                           ELSE excluded.unsubscribed_at END,
    updated_at = excluded.updated_at
  -- a list that says nothing new writes nothing
  WHERE (coalesce(excluded.first_name, contacts.first_name), coalesce(excluded.last_name, contacts.last_name),
         coalesce(excluded.email, contacts.email), coalesce(excluded.gender, contacts.gender),
         coalesce(excluded.birth_date, contacts.birth_date),
         coalesce(nullif(excluded.tags, '{}'), contacts.tags), excluded.region, excluded.consent)
    IS DISTINCT FROM
        (contacts.first_name, contacts.last_name, contacts.email, contacts.gender, contacts.birth_date,
         contacts.tags, contacts.region, contacts.consent)
  RETURNING contacts.id, contacts.phone, xmax = 0 AS is_new  -- no earlier version: inserted
), suppressed AS (
  INSERT INTO suppressions (shop_id, phone, source, created_at)
  SELECT :shop_id, phone, :source, :at FROM known WHERE consent = 'opted_out'
  ON CONFLICT (shop_id, phone) DO UPDATE SET confirmed_at = excluded.created_at
), recorded AS (
  INSERT INTO consent_events (shop_id, contact_id, phone, action, source, evidence, at)
  SELECT :shop_id, merged.id, phone, CASE consent WHEN 'opted_in' THEN 'grant' ELSE 'withdraw' END, :source,
         CAST(:evidence AS jsonb) || jsonb_build_object('row', row), :at
  FROM known JOIN merged USING (phone)
  -- news only: a consent where there was none, an opt-out where there was none
  WHERE consent = 'opted_in' AND consent_after = 'opted_in' AND consent_before IS DISTINCT FROM 'opted_in'
     OR consent = 'opted_out' AND (refused_at IS NULL OR consent_before <> 'opted_out')
)
SELECT (SELECT count(*) FROM merged WHERE is_new) AS created,
       (SELECT json_agg(json_build_array(row, phone, email)) FROM known WHERE is_email_taken) AS email_taken,
       (SELECT json_agg(json_build_array(row, phone)) FROM known
        WHERE consent = 'opted_in' AND consent_after = 'opted_out') AS opted_out
""")


@dataclass(frozen=True)
class Merged:
    """What became of a batch: every row with a phone is one of `created` or `updated`."""

    created: int
    updated: int
    problems: list[Problem]


def merge(shop_id: int, rows: Sequence[Row], evidence: dict[str, Any]) -> Merged:
    """Create or update the rows' contacts. A step; the caller may retry its unit of work on IntegrityError.

    Rows about one phone count as taken one after the other: one creates, the others update. `evidence` goes,
    with the row's number, into the consent events.
    """
    if not rows:
        return Merged(0, 0, [])
    session = require_unit_of_work()
    session.execute(MAKE_INCOMING)
    cursor = session.connection().connection.cursor()
    cursor.copy_expert(COPY_INCOMING, StringIO("".join(_lines(_one_per_phone(rows)))))
    consent.take_turn(shop_id)
    suppressed_hashes.recall(shop_id, (row.phone for row in rows))
    given = {"shop_id": shop_id, "source": "import", "at": now(), "evidence": json.dumps(evidence)}
    result = session.execute(MERGE, given).one()
    session.execute(DROP_INCOMING)
    problems = [
        Problem(row, "email", email, EMAIL_TAKEN, phone) for row, phone, email in result.email_taken or ()
    ]
    problems += [
        Problem(row, "smsConsent", "opted_in", HAS_OPTED_OUT, phone) for row, phone in result.opted_out or ()
    ]
    return Merged(result.created, len(rows) - result.created, problems)


def _one_per_phone(rows: Iterable[Row]) -> Iterable[Row]:
    last: dict[str, Row] = {}
    for row in rows:
        earlier = last.get(row.phone)
        last[row.phone] = together(earlier, row) if earlier else row
    return last.values()


def _lines(rows: Iterable[Row]) -> Iterable[str]:
    """The rows in COPY's text format. No value holds a tab or a line end: `rows.clean` has seen to that."""
    emails: set[str] = set()
    for row in rows:
        repeated = row.email in emails
        if row.email:
            emails.add(row.email)
        values = (
            str(row.number),
            row.phone,
            row.region,
            row.first_name,
            row.last_name,
            row.email,
            row.gender,
            row.birth_date and row.birth_date.isoformat(),
            row.consent,
            row.tags and array(row.tags),
            "t" if repeated else "f",
        )
        yield copy_line(values)


def copy_line(values: Iterable[Any]) -> str:
    """One row in COPY's text format, empty values as NULL. No value may hold a tab, a line end or NUL."""
    # NUL, which no value can contain, stands in for NULL until backslashes have been doubled.
    line = "\t".join([value or "\x00" for value in values])
    return line.replace("\\", "\\\\").replace("\x00", "\\N") + "\n"


def array(tags: Sequence[str]) -> str:
    """An array of texts as Postgres reads it."""
    quoted = (tag.replace("\\", "\\\\").replace('"', '\\"') for tag in tags)
    return '{"' + '","'.join(quoted) + '"}'
