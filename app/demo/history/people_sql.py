"""The contacts of the past in SQL: staged in a temporary table, dated, added, recorded."""

from __future__ import annotations

from sqlalchemy import text

HAS_CONTACTS = text("SELECT EXISTS (SELECT FROM contacts WHERE shop_id = :shop_id)")

# A draw between 0 and 1 that depends on its words only: the same history every time, in whatever order the
# rows are read. It lives in the connection's own schema and goes with it.
CHANCE = text("""
    CREATE OR REPLACE FUNCTION pg_temp.chance(words text) RETURNS float8 LANGUAGE sql IMMUTABLE AS
      'SELECT (hashtextextended(words, 2026) & 1048575) / 1048576.0'""")

# The e-mail of somebody who is in two lists stays with the first of them.
STAGE_TABLE = text("""
    CREATE TEMPORARY TABLE newcomers (
      phone text PRIMARY KEY, region text, first_name text, last_name text, email text, gender text,
      birth_date date, consent text, tags text, source text, import_no integer, import_id bigint,
      joined_at timestamptz, orders integer, first_order_at timestamptz, last_order_at timestamptz
    ) ON COMMIT DROP""")
STAGE = text("""
    INSERT INTO newcomers (phone, region, first_name, last_name, email, gender, birth_date, consent, tags,
      source, import_no, import_id)
    SELECT row.*, :source, :import_no, :import_id
    FROM unnest(CAST(:phone AS text[]), CAST(:region AS text[]), CAST(:first_name AS text[]),
      CAST(:last_name AS text[]), CAST(:email AS text[]), CAST(:gender AS text[]),
      CAST(:birth_date AS date[]), CAST(:consent AS text[]), CAST(:tags AS text[])) AS row
    ON CONFLICT DO NOTHING""")

# Sign-ups: day by day, more of them lately, between nine and eleven in the evening, none in the future.
# Two in five have bought something, most of them not long ago; who buys more, comes again.
DATE = text("""
    WITH drawn AS (
      SELECT phone,
        CASE import_no WHEN 1 THEN CAST(:first_import_at AS timestamptz)
                       WHEN 2 THEN CAST(:second_import_at AS timestamptz)
          ELSE least(CAST(:midnight AS timestamptz)
            + make_interval(days => floor(32 * power(pg_temp.chance(phone || 'day'), 0.7))::int)
            + interval '14 hours' * pg_temp.chance(phone || 'hour') + interval '9 hours',
            CAST(:now AS timestamptz) - interval '20 minutes' * (1 + 60 * pg_temp.chance(phone || 'late')))
        END AS joined_at,
        CASE WHEN pg_temp.chance(phone || 'buys') < 0.4
             THEN 1 + floor(7 * power(pg_temp.chance(phone || 'often'), 3))::int ELSE 0 END AS orders,
        CAST(:now AS timestamptz)
          - interval '150 days' * power(pg_temp.chance(phone || 'last'), 1.6) - interval '1 hour'
          AS last_order_at
      FROM newcomers)
    UPDATE newcomers n SET joined_at = d.joined_at, orders = d.orders,
      last_order_at = CASE WHEN d.orders > 0 THEN d.last_order_at END,
      first_order_at = CASE WHEN d.orders > 0 THEN d.last_order_at
        - (d.orders - 1) * interval '40 days' * (0.5 + pg_temp.chance(n.phone || 'gap')) END
    FROM drawn d WHERE d.phone = n.phone""")

ADD = text("""
    INSERT INTO contacts (shop_id, phone, region, first_name, last_name, email, gender, birth_date, tags,
      consent, consent_at, consent_source, unsubscribed_at, orders_count, first_order_at, last_order_at,
      created_at, updated_at)
    SELECT :shop_id, phone, region, first_name, last_name, email, gender, birth_date,
      ARRAY(SELECT jsonb_array_elements_text(CAST(tags AS jsonb))), consent,
      CASE WHEN consent <> 'unknown' THEN joined_at END, CASE WHEN consent <> 'unknown' THEN source END,
      CASE WHEN consent = 'opted_out' THEN joined_at END, orders, first_order_at, last_order_at,
      joined_at, joined_at
    FROM newcomers ORDER BY joined_at, phone""")

RECORD = text("""
    WITH known AS (
      SELECT c.id, n.* FROM newcomers n JOIN contacts c ON c.shop_id = :shop_id AND c.phone = n.phone
      WHERE n.consent <> 'unknown'),
    suppressed AS (
      INSERT INTO suppressions (shop_id, phone, source, created_at)
      SELECT :shop_id, phone, source, joined_at FROM known WHERE consent = 'opted_out')
    INSERT INTO consent_events (shop_id, contact_id, phone, action, source, wording, evidence, at)
    SELECT :shop_id, id, phone, CASE consent WHEN 'opted_in' THEN 'grant' ELSE 'withdraw' END, source,
      CASE WHEN source = 'opt_in_form' THEN :wording END,
      CASE WHEN import_id > 0 THEN jsonb_build_object('importId', CAST(import_id AS text)) ELSE '{}' END,
      joined_at
    FROM known ORDER BY joined_at, phone""")

STORE_IMPORT = text("""
    INSERT INTO contact_imports (shop_id, filename, file_sha256, status, size_bytes, done_bytes, done_rows,
      created, updated, skipped, warnings, created_at, started_at, finished_at)
    VALUES (:shop_id, :filename, encode(sha256(CAST(:filename AS bytea)), 'hex'), 'completed', :bytes,
      :bytes, :rows, :created, :updated, :skipped, :warnings, :at, :at,
      CAST(:at AS timestamptz) + interval '3 seconds')
    RETURNING id""")
STORE_IMPORT_ERRORS = text("""
    INSERT INTO contact_import_errors (shop_id, import_id, row, field, value, message)
    SELECT :shop_id, :import_id, problem.*
    FROM unnest(CAST(:rows AS integer[]), CAST(:fields AS text[]), CAST(:values AS text[]),
      CAST(:messages AS text[])) AS problem
    ON CONFLICT DO NOTHING""")
