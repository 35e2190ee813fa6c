"""What shops buy once, the recharge that they let us make, and what they are told of.

Locks: new tables only.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0027"
down_revision = "0026"

# The row decides what is paid and credited; Stripe's answer must agree with it. `payer` keeps what was known
# of who pays when the VAT was reckoned. `reversals` and `reinstatements` number the transfers that were made
# for it, `version` the readings that were applied.
PURCHASES = """
CREATE TABLE purchases (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  kind text NOT NULL CONSTRAINT ck_purchases_kind CHECK (kind IN ('topup', 'package', 'recharge')),
  credits bigint NOT NULL CONSTRAINT ck_purchases_credits CHECK (credits > 0),
  package text,
  net_cents bigint NOT NULL,
  tax_cents bigint NOT NULL DEFAULT 0,
  gross_cents bigint NOT NULL,
  currency text NOT NULL,
  vat_treatment text NOT NULL,
  vat_rate numeric(6, 4),
  vat_jurisdiction text,
  payer jsonb NOT NULL DEFAULT '{}',
  status text NOT NULL DEFAULT 'pending'
    CONSTRAINT ck_purchases_status CHECK (
      status IN ('pending', 'paid', 'failed', 'expired', 'mismatched', 'refunded')),
  failure text,
  idempotency_key text,
  request_hash text,
  success_url text,
  cancel_url text,
  stripe_customer_id text,
  stripe_session_id text,
  stripe_payment_intent_id text,
  is_taxed_by_stripe boolean NOT NULL DEFAULT false,
  keeps_card boolean NOT NULL DEFAULT false,
  reversed_credits bigint NOT NULL DEFAULT 0,
  reversals integer NOT NULL DEFAULT 0,
  reinstatements integer NOT NULL DEFAULT 0,
  refunded_cents bigint NOT NULL DEFAULT 0,
  disputed_cents bigint NOT NULL DEFAULT 0,
  version bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  paid_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_purchases_shop_id_id UNIQUE (shop_id, id),
  CONSTRAINT uq_purchases_shop_id_idempotency_key UNIQUE (shop_id, idempotency_key),
  CONSTRAINT uq_purchases_stripe_session_id UNIQUE (stripe_session_id),
  CONSTRAINT uq_purchases_stripe_payment_intent_id UNIQUE (stripe_payment_intent_id),
  CONSTRAINT ck_purchases_money CHECK (
    net_cents >= 0 AND tax_cents >= 0 AND gross_cents = net_cents + tax_cents),
  CONSTRAINT ck_purchases_reversed_credits CHECK (reversed_credits BETWEEN 0 AND credits),
  CONSTRAINT ck_purchases_paid CHECK ((paid_at IS NOT NULL) = (status = 'paid' OR status = 'refunded'))
);
CREATE INDEX ix_purchases_shop_id_created_at ON purchases (shop_id, created_at DESC, id DESC);
CREATE INDEX ix_purchases_open ON purchases (created_at, id) WHERE status = 'pending';
CREATE UNIQUE INDEX uq_purchases_recharge ON purchases (shop_id)
  WHERE kind = 'recharge' AND status = 'pending';
CREATE INDEX ix_purchases_recharges ON purchases (shop_id, created_at) WHERE kind = 'recharge';

CREATE TABLE recharge_settings (
  shop_id bigint PRIMARY KEY REFERENCES shops (id),
  is_enabled boolean NOT NULL DEFAULT false,
  threshold bigint NOT NULL DEFAULT 100
    CONSTRAINT ck_recharge_settings_threshold CHECK (threshold >= 0),
  credits bigint NOT NULL DEFAULT 1000 CONSTRAINT ck_recharge_settings_credits CHECK (credits > 0),
  monthly_cap_cents bigint
    CONSTRAINT ck_recharge_settings_monthly_cap_cents CHECK (monthly_cap_cents >= 0),
  low_balance_threshold bigint
    CONSTRAINT ck_recharge_settings_low_balance_threshold CHECK (low_balance_threshold >= 0),
  stripe_payment_method_id text,
  suspended_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE billing_alerts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  kind text NOT NULL CONSTRAINT ck_billing_alerts_kind CHECK (
    kind IN ('low_balance', 'recharge_failed', 'recharge_cap_reached', 'payment_mismatched', 'debt')),
  figures jsonb NOT NULL DEFAULT '{}',
  since timestamptz NOT NULL DEFAULT now(),
  dismissed_at timestamptz,
  closed_at timestamptz
);
CREATE UNIQUE INDEX uq_billing_alerts_open ON billing_alerts (shop_id, kind) WHERE closed_at IS NULL;
"""
TABLES = ("purchases", "recharge_settings", "billing_alerts")


def upgrade() -> None:
    op.execute(PURCHASES)
    for table in TABLES:
        protect(table)
    grant(*TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE billing_alerts, recharge_settings, purchases")
