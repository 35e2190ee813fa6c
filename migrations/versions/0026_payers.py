"""Who pays: billing profiles with the shops' Stripe customers, and the evidence of how each sale was taxed.

Locks: none, new tables only.
"""

from __future__ import annotations

from alembic import op
from tenancy import append_only, grant, protect

revision = "0026"
down_revision = "0025"

# What Stripe should know has gone there once `pushed_version` is `version`. The VAT number is asked for while
# `vat_check_at` is set, under the `vat_version` that the merchant gave it.
PROFILES = """
CREATE TABLE billing_profiles (
  shop_id bigint CONSTRAINT pk_billing_profiles PRIMARY KEY REFERENCES shops (id),
  stripe_customer_id text,
  legal_name text,
  billing_email text,
  billing_address jsonb,
  is_business boolean NOT NULL DEFAULT false,
  tax_exempt boolean NOT NULL DEFAULT false,
  vat_number text,
  vat_country text CONSTRAINT ck_billing_profiles_vat_country CHECK (vat_country ~ '^[A-Z]{2}$'),
  vat_status text CONSTRAINT ck_billing_profiles_vat_status CHECK (vat_status IN
    ('pending', 'verified', 'unverified', 'unavailable')),
  vat_source text CONSTRAINT ck_billing_profiles_vat_source CHECK (vat_source IN ('vies', 'stripe')),
  vat_checked_at timestamptz,
  vat_consultation text,
  vat_version integer NOT NULL DEFAULT 0,
  vat_check_at timestamptz,
  vat_tries integer NOT NULL DEFAULT 0,
  version integer NOT NULL DEFAULT 0,
  pushed_version integer NOT NULL DEFAULT 0,
  push_at timestamptz NOT NULL DEFAULT now(),
  push_tries integer NOT NULL DEFAULT 0,
  synced_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT ck_billing_profiles_vat CHECK ((vat_number IS NULL) = (vat_status IS NULL)),
  CONSTRAINT ck_billing_profiles_pushed CHECK (pushed_version <= version AND vat_version <= version)
);
CREATE UNIQUE INDEX uq_billing_profiles_stripe_customer_id ON billing_profiles (stripe_customer_id)
  WHERE stripe_customer_id IS NOT NULL;
CREATE INDEX ix_billing_profiles_push_at ON billing_profiles (push_at) WHERE pushed_version < version;
CREATE INDEX ix_billing_profiles_vat_check_at ON billing_profiles (vat_check_at)
  WHERE vat_check_at IS NOT NULL;
"""
EVIDENCE = """
CREATE TABLE tax_evidence (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_tax_evidence PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  sale_kind text NOT NULL CONSTRAINT ck_tax_evidence_sale_kind CHECK (sale_kind IN ('purchase', 'invoice')),
  sale_id text NOT NULL,
  ip_country text,
  billing_country text,
  vat_number text,
  vat_status text CONSTRAINT ck_tax_evidence_vat_status CHECK (vat_status IN
    ('pending', 'verified', 'unverified', 'unavailable')),
  vat_source text,
  vat_checked_at timestamptz,
  vat_consultation text,
  treatment text NOT NULL CONSTRAINT ck_tax_evidence_treatment CHECK (treatment IN
    ('unknown', 'non_eu', 'domestic_vat', 'eu_reverse_charge', 'eu_b2c')),
  jurisdiction text,
  rate numeric(6, 4),
  net_cents bigint NOT NULL CONSTRAINT ck_tax_evidence_net_cents CHECK (net_cents >= 0),
  tax_cents bigint NOT NULL CONSTRAINT ck_tax_evidence_tax_cents CHECK (tax_cents >= 0),
  currency text NOT NULL CONSTRAINT ck_tax_evidence_currency CHECK (currency IN ('EUR', 'USD')),
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_tax_evidence_sale UNIQUE (shop_id, sale_kind, sale_id),
  CONSTRAINT ck_tax_evidence_verified CHECK (treatment <> 'eu_reverse_charge' OR vat_status = 'verified')
);
CREATE INDEX ix_tax_evidence_shop_id ON tax_evidence (shop_id, created_at);
"""


def upgrade() -> None:
    op.execute(PROFILES)
    op.execute(EVIDENCE)
    protect("billing_profiles")
    protect("tax_evidence")
    append_only("tax_evidence")
    grant("billing_profiles")
    grant("tax_evidence", privileges="SELECT, INSERT")


def downgrade() -> None:
    op.execute("DROP TABLE tax_evidence, billing_profiles")
