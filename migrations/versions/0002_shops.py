"""Shops and their subscriptions, and the tables that belong to no feature.

Locks: none, new tables only.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0002"
down_revision = "0001"

TABLES = """
CREATE TABLE shops (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  domain text NOT NULL CONSTRAINT uq_shops_domain UNIQUE,
  name text,
  status text NOT NULL DEFAULT 'active' CONSTRAINT ck_shops_status CHECK (status IN ('active', 'inactive',
    'uninstalled')),
  country text NOT NULL DEFAULT 'GR',
  currency text NOT NULL DEFAULT 'EUR' CONSTRAINT ck_shops_currency CHECK (currency IN ('EUR', 'USD')),
  timezone text NOT NULL DEFAULT 'Europe/Athens',
  sender_name text,
  sender_number text,
  base_url text,
  eshop_type text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE subscriptions (
  shop_id bigint PRIMARY KEY REFERENCES shops (id),
  plan text NOT NULL CONSTRAINT ck_subscriptions_plan CHECK (plan IN ('starter', 'pro')),
  billing_interval text NOT NULL CONSTRAINT ck_subscriptions_billing_interval CHECK (billing_interval IN
    ('month', 'year')),
  status text NOT NULL CONSTRAINT ck_subscriptions_status CHECK (status IN
    ('active', 'trialing', 'past_due', 'unpaid', 'incomplete', 'paused', 'inactive', 'cancelled')),
  included_sms integer NOT NULL DEFAULT 0 CONSTRAINT ck_subscriptions_included_sms CHECK (included_sms >= 0),
  period_start timestamptz,
  period_end timestamptz,
  cancel_at_period_end boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE idempotency_keys (
  shop_id bigint NOT NULL REFERENCES shops (id),
  key text NOT NULL,
  request_hash text NOT NULL,
  status_code smallint,
  response jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, key)
);
CREATE TABLE ticks (
  task text NOT NULL,
  period_start timestamptz NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  PRIMARY KEY (task, period_start)
);
CREATE TABLE webhook_inbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  provider text NOT NULL,
  topic text NOT NULL,
  external_id text NOT NULL,
  shop_id bigint,
  payload jsonb NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  available_at timestamptz NOT NULL DEFAULT now(),
  processed_at timestamptz,
  attempts smallint NOT NULL DEFAULT 0,
  outcome text,
  CONSTRAINT uq_webhook_inbox_provider_external_id UNIQUE (provider, external_id)
);
CREATE INDEX ix_webhook_inbox_waiting ON webhook_inbox (provider, topic, id) WHERE processed_at IS NULL;
"""


def upgrade() -> None:
    op.execute(TABLES)
    protect("shops", column="id")
    for table in ("subscriptions", "idempotency_keys", "webhook_inbox"):
        protect(table)
    grant("shops", "subscriptions", "idempotency_keys", "ticks", "webhook_inbox")


def downgrade() -> None:
    op.execute("DROP TABLE webhook_inbox, ticks, idempotency_keys, subscriptions, shops")
