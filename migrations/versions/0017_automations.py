"""Automations: what a shop says to one person when something has happened.

Locks: `consent_events` against writes while a small index is built.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0017"
down_revision = "0016"

TABLES = """
CREATE TABLE automations (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  default_key text,
  name text NOT NULL CONSTRAINT ck_automations_name CHECK (name <> '' AND length(name) <= 255),
  description text,
  trigger text NOT NULL CONSTRAINT ck_automations_trigger CHECK (trigger IN
    ('welcome', 'abandoned_cart', 'order_confirmation', 'shipping_update', 'delivery_confirmation',
     'review_request', 'reorder_reminder', 'birthday', 'customer_inactive', 'cart_abandoned', 'order_placed',
     'order_fulfilled', 'cross_sell', 'upsell')),
  status text NOT NULL DEFAULT 'draft' CONSTRAINT ck_automations_status CHECK (status IN
    ('draft', 'active', 'paused')),
  conditions jsonb NOT NULL DEFAULT '{}',
  activated_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_automations_shop_id_id UNIQUE (shop_id, id)
);
CREATE UNIQUE INDEX uq_automations_default ON automations (shop_id, default_key)
  WHERE default_key IS NOT NULL;
CREATE INDEX ix_automations_active ON automations (trigger, shop_id) WHERE status = 'active';

-- Step 1 comes `delay_minutes` after the event, every other one after the step before it.
CREATE TABLE automation_steps (
  shop_id bigint NOT NULL,
  automation_id bigint NOT NULL,
  step_no smallint NOT NULL CONSTRAINT ck_automation_steps_no CHECK (step_no BETWEEN 1 AND 10),
  delay_minutes integer NOT NULL CONSTRAINT ck_automation_steps_delay CHECK
    (delay_minutes BETWEEN 0 AND 525600),
  message text NOT NULL CONSTRAINT ck_automation_steps_message CHECK
    (length(message) BETWEEN 10 AND 1600),
  CONSTRAINT pk_automation_steps PRIMARY KEY (shop_id, automation_id, step_no),
  CONSTRAINT fk_automation_steps_automation FOREIGN KEY (shop_id, automation_id)
    REFERENCES automations (shop_id, id) ON DELETE CASCADE
);

-- A contact is in an automation once for each event: the unique key is the promise.
CREATE TABLE automation_entries (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL,
  automation_id bigint NOT NULL,
  contact_id bigint NOT NULL,
  event_key text NOT NULL,
  facts jsonb NOT NULL DEFAULT '{}',
  status text NOT NULL DEFAULT 'waiting' CONSTRAINT ck_automation_entries_status CHECK (status IN
    ('waiting', 'finished', 'left')),
  outcome text,
  next_step smallint NOT NULL DEFAULT 1,
  due_at timestamptz NOT NULL,
  entered_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_automation_entries_event UNIQUE (shop_id, automation_id, contact_id, event_key),
  CONSTRAINT fk_automation_entries_automation FOREIGN KEY (shop_id, automation_id)
    REFERENCES automations (shop_id, id) ON DELETE CASCADE,
  CONSTRAINT fk_automation_entries_contact FOREIGN KEY (shop_id, contact_id)
    REFERENCES contacts (shop_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_automation_entries_due ON automation_entries (due_at) WHERE status = 'waiting';
CREATE INDEX ix_automation_entries_waiting ON automation_entries (shop_id, automation_id, due_at)
  WHERE status = 'waiting';
CREATE INDEX ix_automation_entries_contact ON automation_entries (shop_id, contact_id);

-- What became of each step of each entry. No foreign keys: the record outlives what it tells of.
CREATE TABLE automation_attempts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  automation_id bigint NOT NULL,
  trigger text NOT NULL,
  entry_id bigint NOT NULL,
  step_no smallint NOT NULL,
  contact_id bigint,
  outcome text NOT NULL CONSTRAINT ck_automation_attempts_outcome CHECK (outcome IN
    ('sent', 'skipped', 'failed')),
  reason text,
  message_id bigint,
  at timestamptz NOT NULL,
  CONSTRAINT uq_automation_attempts_step UNIQUE (entry_id, step_no)
);
CREATE INDEX ix_automation_attempts_shop_at ON automation_attempts (shop_id, at);
CREATE INDEX ix_automation_attempts_automation ON automation_attempts (shop_id, automation_id, id);

CREATE INDEX ix_consent_events_grants ON consent_events (shop_id, id)
  WHERE action = 'grant' AND source <> 'import';

-- Up to which consent event new subscribers have been welcomed.
CREATE TABLE automation_cursors (
  shop_id bigint PRIMARY KEY REFERENCES shops (id),
  consent_event_id bigint NOT NULL DEFAULT 0
);
"""
EDITABLE = ("automations", "automation_steps", "automation_entries", "automation_cursors")


def upgrade() -> None:
    op.execute(TABLES)
    for table in (*EDITABLE, "automation_attempts"):
        protect(table)
    grant(*EDITABLE)
    grant("automation_attempts", privileges="SELECT, INSERT, DELETE")


def downgrade() -> None:
    op.execute("DROP INDEX ix_consent_events_grants")
    op.execute("DROP TABLE automation_cursors, automation_attempts, automation_entries, automation_steps")
    op.execute("DROP TABLE automations")
