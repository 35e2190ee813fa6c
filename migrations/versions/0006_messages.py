"""Runs, messages, attempts, links, clicks, replies: the heart.

Locks: none, new tables only.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0006"
down_revision = "0005"

# messages has no foreign keys: two would double the price of freezing an audience. `flask audit` proves
# what they
# would say. The unique key leads with the phone so that it also answers "who texted this number last".
# fillfactor leaves room for the two updates of a message's life; partial indexes keep the hot paths small.
TABLES = """
CREATE TABLE message_runs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  source text NOT NULL CONSTRAINT ck_message_runs_source CHECK (source IN ('campaign', 'automation', 'test')),
  source_id bigint NOT NULL,
  run_no integer NOT NULL DEFAULT 1,
  text text NOT NULL,
  links text[] NOT NULL DEFAULT '{}',
  sender text NOT NULL,
  is_open boolean NOT NULL DEFAULT true,
  pending integer NOT NULL DEFAULT 0,
  claimed integer NOT NULL DEFAULT 0,
  unknown integer NOT NULL DEFAULT 0,
  sent integer NOT NULL DEFAULT 0,
  delivered integer NOT NULL DEFAULT 0,
  undelivered integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  not_sent integer NOT NULL DEFAULT 0,
  skipped integer NOT NULL DEFAULT 0,
  clicked integer NOT NULL DEFAULT 0,
  opted_out integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_message_runs_shop_id_id UNIQUE (shop_id, id),
  CONSTRAINT uq_message_runs_source UNIQUE (shop_id, source, source_id, run_no),
  CONSTRAINT ck_message_runs_counters CHECK (least(pending, claimed, unknown, sent, delivered, undelivered,
    failed,
    not_sent, skipped, clicked, opted_out) >= 0)
);
CREATE INDEX ix_message_runs_live ON message_runs (id) WHERE is_open AND pending > 0;

CREATE TABLE messages (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL,
  run_id bigint NOT NULL,
  contact_id bigint,
  phone text NOT NULL,
  event_key text NOT NULL DEFAULT '',
  first_name text,
  last_name text,
  merge jsonb,
  parts smallint NOT NULL CONSTRAINT ck_messages_parts CHECK (parts > 0),
  state text NOT NULL DEFAULT 'pending' CONSTRAINT ck_messages_state CHECK (state IN
    ('pending', 'claimed', 'sent', 'delivered', 'undelivered', 'failed', 'unknown', 'not_sent', 'skipped')),
  attempt_id bigint,
  tries smallint NOT NULL DEFAULT 0,
  provider_message_id text,
  failure text,
  send_after timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  sent_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_messages_phone_run_id_event_key UNIQUE (phone, run_id, event_key)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX ix_messages_shop_id_id ON messages (shop_id, id DESC);
CREATE INDEX ix_messages_pending ON messages (run_id, id) WHERE state = 'pending';
CREATE INDEX ix_messages_claimed ON messages (attempt_id) WHERE state = 'claimed';
CREATE INDEX ix_messages_unknown ON messages (updated_at) WHERE state = 'unknown';
CREATE INDEX ix_messages_failed ON messages (run_id, id) WHERE state IN ('failed', 'undelivered',
  'not_sent', 'skipped');
CREATE UNIQUE INDEX uq_messages_provider_message_id ON messages (provider_message_id) WHERE
  provider_message_id IS NOT NULL;

CREATE TABLE send_attempts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL,
  run_id bigint NOT NULL,
  size integer NOT NULL,
  state text NOT NULL DEFAULT 'open' CONSTRAINT ck_send_attempts_state CHECK (state IN ('open', 'settled',
    'expired')),
  outcome text,
  provider_batch_id text,
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);
CREATE INDEX ix_send_attempts_open ON send_attempts (started_at) WHERE state = 'open';
CREATE INDEX ix_send_attempts_run_id ON send_attempts (run_id);

CREATE TABLE click_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  run_id bigint NOT NULL,
  message_id bigint NOT NULL,
  contact_id bigint,
  link_no smallint NOT NULL,
  clicked_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_click_events_message_id_link_no UNIQUE (message_id, link_no)
);
CREATE INDEX ix_click_events_shop_id_clicked_at ON click_events (shop_id, clicked_at);

CREATE TABLE inbound_messages (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint REFERENCES shops (id),
  inbox_id bigint NOT NULL CONSTRAINT uq_inbound_messages_inbox_id UNIQUE,
  contact_id bigint,
  phone text NOT NULL,
  sent_to text,
  text text NOT NULL,
  intent text NOT NULL CONSTRAINT ck_inbound_messages_intent CHECK (intent IN ('stop', 'start', 'help',
    'other')),
  needs_review boolean NOT NULL DEFAULT false,
  received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_inbound_messages_shop_id_id ON inbound_messages (shop_id, id DESC);
"""
NAMES = ("message_runs", "messages", "send_attempts", "click_events", "inbound_messages")


def upgrade() -> None:
    op.execute(TABLES)
    for table in NAMES:
        protect(table)
        grant(table)


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(reversed(NAMES))}")
