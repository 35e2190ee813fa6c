"""What Shopify asks of us about people's data, what was done, and opt-outs that outlive their numbers.

Locks: `consent_events` briefly, for the grant; new tables otherwise.
"""

from __future__ import annotations

from alembic import op
from tenancy import append_only, grant, protect

revision = "0021"
down_revision = "0020"

# No personal data: whom a request is about stands in the inbox, under `inbox_id`, and is scrubbed there.
TABLES = """
CREATE TABLE privacy_requests (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  inbox_id bigint NOT NULL,
  kind text NOT NULL CONSTRAINT ck_privacy_requests_kind CHECK (kind IN
    ('data_request', 'customer_redact', 'shop_redact')),
  status text NOT NULL DEFAULT 'waiting' CONSTRAINT ck_privacy_requests_status CHECK (status IN
    ('waiting', 'done', 'declined')),
  reason text,
  received_at timestamptz NOT NULL DEFAULT now(),
  fetched_at timestamptz,
  done_at timestamptz,
  counts jsonb NOT NULL DEFAULT '{}',
  CONSTRAINT uq_privacy_requests_inbox UNIQUE (shop_id, inbox_id)
);
CREATE INDEX ix_privacy_requests_waiting ON privacy_requests (shop_id, id) WHERE status = 'waiting';
CREATE INDEX ix_privacy_requests_shop ON privacy_requests (shop_id, id DESC);

CREATE TABLE suppressed_hashes (
  shop_id bigint NOT NULL REFERENCES shops (id),
  phone_hash text NOT NULL,
  source text NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT pk_suppressed_hashes PRIMARY KEY (shop_id, phone_hash)
);
"""

# Consent events stay append-only for everybody. This function is the one exception: it takes the person out
# of them and leaves that, when and from where a consent was given or withdrawn. It runs as the tables' owner,
# whom the trigger lets pass only while the function has said so; the policy still asks for the shop.
REDACT = """
CREATE FUNCTION refuse_change_but_redaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND current_setting('app.redacting', true) = 'on' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION redact_consent_events(of_shop bigint, of_phones text[], most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE redacted integer;
BEGIN
  IF of_shop IS DISTINCT FROM nullif(current_setting('app.shop_id', true), '')::bigint THEN
    RAISE EXCEPTION 'only within a shop of one''s own' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM set_config('app.redacting', 'on', true);
  WITH picked AS MATERIALIZED (
    SELECT id FROM consent_events
    WHERE shop_id = of_shop AND phone LIKE '+%' AND (of_phones IS NULL OR phone = ANY(of_phones))
    ORDER BY id LIMIT most FOR UPDATE)
  UPDATE consent_events e SET phone = 'redacted:' || e.id, contact_id = NULL, wording = NULL, evidence = '{}'
  FROM picked WHERE e.id = picked.id;
  GET DIAGNOSTICS redacted = ROW_COUNT;
  PERFORM set_config('app.redacting', 'off', true);
  RETURN redacted;
END $$;

DROP TRIGGER consent_events_append_only ON consent_events;
CREATE TRIGGER consent_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON consent_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_but_redaction();
"""
NAMES = ("privacy_requests", "suppressed_hashes")


def upgrade() -> None:
    op.execute(TABLES)
    for table in NAMES:
        protect(table)
        grant(table)
    op.execute(REDACT)


def downgrade() -> None:
    op.execute("DROP TRIGGER consent_events_append_only ON consent_events")
    append_only("consent_events")
    op.execute("DROP FUNCTION redact_consent_events(bigint, text[], integer), refuse_change_but_redaction()")
    op.execute("DROP TABLE suppressed_hashes, privacy_requests")
