"""Campaigns.

Locks: none, a new table only.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0007"
down_revision = "0006"

TABLES = """
CREATE TABLE campaigns (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  name text NOT NULL CONSTRAINT ck_campaigns_name CHECK (name <> '' AND length(name) <= 200),
  message text NOT NULL CONSTRAINT ck_campaigns_message CHECK (message <> '' AND length(message) <= 1600),
  audience text NOT NULL DEFAULT 'all',
  discount_id text,
  schedule_type text NOT NULL DEFAULT 'immediate' CONSTRAINT ck_campaigns_schedule_type CHECK
    (schedule_type IN
    ('immediate', 'scheduled', 'recurring')),
  schedule_at timestamptz,
  recurring_days integer CONSTRAINT ck_campaigns_recurring_days CHECK (recurring_days BETWEEN 1 AND 365),
  priority text NOT NULL DEFAULT 'normal' CONSTRAINT ck_campaigns_priority CHECK (priority IN
    ('low', 'normal', 'high', 'urgent')),
  meta jsonb NOT NULL DEFAULT '{}',
  status text NOT NULL DEFAULT 'draft' CONSTRAINT ck_campaigns_status CHECK (status IN
    ('draft', 'scheduled', 'sending', 'paused', 'completed', 'failed', 'cancelled')),
  status_before text,
  run_no integer NOT NULL DEFAULT 0,
  first_run_no integer NOT NULL DEFAULT 1,
  run_id bigint,
  frozen_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  last_enqueue_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_campaigns_shop_id_id UNIQUE (shop_id, id),
  CONSTRAINT uq_campaigns_shop_id_name UNIQUE (shop_id, name),
  CONSTRAINT ck_campaigns_due CHECK (status <> 'scheduled' OR schedule_at IS NOT NULL)
);
CREATE INDEX ix_campaigns_shop_id_created_at ON campaigns (shop_id, created_at DESC, id DESC);
CREATE INDEX ix_campaigns_due ON campaigns (schedule_at) WHERE status = 'scheduled';
CREATE INDEX ix_campaigns_sending ON campaigns (id) WHERE status = 'sending';
"""


def upgrade() -> None:
    op.execute(TABLES)
    protect("campaigns")
    grant("campaigns")


def downgrade() -> None:
    op.execute("DROP TABLE campaigns")
