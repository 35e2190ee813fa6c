"""Orders, fulfilments and checkouts as Shopify tells of them.

Locks: `click_events` and `message_runs` not at all; new tables only.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0016"
down_revision = "0014"

# An order keeps what texts and reports need of it, no address and no name: those are the contact's.
ORDERS = """
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  shopify_id bigint NOT NULL,
  contact_id bigint,
  name text NOT NULL,
  placed_at timestamptz NOT NULL,
  currency text NOT NULL,
  total_cents bigint NOT NULL,
  refunds jsonb NOT NULL DEFAULT '{}',
  refunded_cents bigint NOT NULL DEFAULT 0 CONSTRAINT ck_orders_refunded CHECK (refunded_cents >= 0),
  cancelled_at timestamptz,
  financial_status text,
  fulfillment_status text,
  checkout_token text,
  cart_token text,
  discount_codes text[] NOT NULL DEFAULT '{}',
  landing_site text,
  is_test boolean NOT NULL DEFAULT false,
  items jsonb NOT NULL DEFAULT '[]',
  city text,
  country text,
  source_updated_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_orders_shop_id_id UNIQUE (shop_id, id),
  CONSTRAINT uq_orders_shop_id_shopify_id UNIQUE (shop_id, shopify_id),
  CONSTRAINT fk_orders_contact FOREIGN KEY (shop_id, contact_id) REFERENCES contacts (shop_id, id)
    ON DELETE SET NULL (contact_id)
);
CREATE INDEX ix_orders_contact ON orders (shop_id, contact_id, placed_at);
CREATE INDEX ix_orders_shop_id_placed_at ON orders (shop_id, placed_at);
CREATE INDEX ix_orders_checkout ON orders (shop_id, checkout_token) WHERE checkout_token IS NOT NULL;

CREATE TABLE fulfilments (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  shopify_id bigint NOT NULL,
  order_id bigint NOT NULL,
  status text,
  shipment_status text,
  tracking_number text,
  tracking_url text,
  tracking_company text,
  fulfilled_at timestamptz NOT NULL,
  delivered_at timestamptz,
  estimated_delivery_at timestamptz,
  source_updated_at timestamptz NOT NULL,
  CONSTRAINT uq_fulfilments_shop_id_shopify_id UNIQUE (shop_id, shopify_id),
  CONSTRAINT fk_fulfilments_order FOREIGN KEY (shop_id, order_id) REFERENCES orders (shop_id, id)
    ON DELETE CASCADE
);
CREATE INDEX ix_fulfilments_order ON fulfilments (shop_id, order_id);

CREATE TABLE checkouts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  token text NOT NULL,
  cart_token text,
  contact_id bigint,
  url text,
  items jsonb NOT NULL DEFAULT '[]',
  subtotal_cents bigint,
  currency text,
  discount_codes text[] NOT NULL DEFAULT '{}',
  started_at timestamptz NOT NULL,
  completed_at timestamptz,
  source_updated_at timestamptz NOT NULL,
  CONSTRAINT uq_checkouts_shop_id_token UNIQUE (shop_id, token),
  CONSTRAINT fk_checkouts_contact FOREIGN KEY (shop_id, contact_id) REFERENCES contacts (shop_id, id)
    ON DELETE SET NULL (contact_id)
);
CREATE INDEX ix_checkouts_contact ON checkouts (shop_id, contact_id);
CREATE INDEX ix_checkouts_cart ON checkouts (shop_id, cart_token) WHERE cart_token IS NOT NULL;
"""
TABLES = ("orders", "fulfilments", "checkouts")


def upgrade() -> None:
    op.execute(ORDERS)
    for table in TABLES:
        protect(table)
    grant(*TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE checkouts, fulfilments, orders")
