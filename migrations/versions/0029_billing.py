"""Invoices of subscriptions, as Stripe keeps them.

Locks: none, a new table only.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0029"
down_revision = "0028"

TABLE = """
CREATE TABLE invoices (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  stripe_invoice_id text NOT NULL CONSTRAINT uq_invoices_stripe_invoice_id UNIQUE,
  stripe_customer_id text,
  stripe_subscription_id text,
  number text,
  billing_reason text,
  plan text CONSTRAINT ck_invoices_plan CHECK (plan IN ('starter', 'pro')),
  subtotal_cents bigint NOT NULL,
  tax_cents bigint NOT NULL,
  total_cents bigint NOT NULL,
  paid_cents bigint NOT NULL,
  currency text NOT NULL,
  status text NOT NULL CONSTRAINT ck_invoices_status
    CHECK (status IN ('draft', 'open', 'paid', 'void', 'uncollectible')),
  pdf_url text,
  hosted_url text,
  issued_at timestamptz NOT NULL,
  paid_at timestamptz,
  version bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_invoices_shop_id_issued_at ON invoices (shop_id, issued_at DESC, id DESC);
"""


def upgrade() -> None:
    op.execute(TABLE)
    protect("invoices")
    grant("invoices", privileges="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.execute("DROP TABLE invoices")
