"""Which text brought an order about, and what is needed to find out.

Locks: `orders`, `checkouts` and `click_events` for a moment; all three gain nothing that is computed.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0023"
down_revision = "0022"

# `contact_as_of` is the object's own time at which it last named its contact: an older word changes nothing.
KNOWN_OF_THE_BUYER = """
ALTER TABLE orders ADD COLUMN contact_as_of timestamptz, ADD COLUMN clicked_message_id bigint;
ALTER TABLE checkouts ADD COLUMN contact_as_of timestamptz;
CREATE INDEX ix_orders_created_at ON orders (created_at);
CREATE INDEX ix_click_events_contact ON click_events (shop_id, contact_id, clicked_at)
  WHERE contact_id IS NOT NULL;
"""
# The primary key is the promise: an order is counted for one text at most.
ATTRIBUTIONS = """
CREATE TABLE order_attributions (
  order_id bigint PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  run_id bigint NOT NULL,
  message_id bigint,
  source text NOT NULL CONSTRAINT ck_order_attributions_source CHECK (source IN ('campaign', 'automation')),
  source_id bigint NOT NULL,
  evidence text NOT NULL CONSTRAINT ck_order_attributions_evidence CHECK (evidence IN ('click', 'code')),
  at timestamptz NOT NULL,
  decided_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_order_attributions_order FOREIGN KEY (shop_id, order_id) REFERENCES orders (shop_id, id)
    ON DELETE CASCADE
);
CREATE INDEX ix_order_attributions_source ON order_attributions (shop_id, source, source_id);
CREATE INDEX ix_order_attributions_run_id ON order_attributions (shop_id, run_id);

CREATE TABLE run_codes (
  shop_id bigint NOT NULL REFERENCES shops (id),
  run_id bigint NOT NULL,
  code_key text NOT NULL CONSTRAINT ck_run_codes_code_key
    CHECK (code_key <> '' AND code_key = lower(code_key)),
  given_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, run_id)
);
CREATE INDEX ix_run_codes_code_key ON run_codes (shop_id, code_key);
"""
TABLES = ("order_attributions", "run_codes")


def upgrade() -> None:
    op.execute(KNOWN_OF_THE_BUYER)
    op.execute(ATTRIBUTIONS)
    for table in TABLES:
        protect(table)
    grant(*TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE run_codes, order_attributions")
    op.execute("DROP INDEX ix_click_events_contact, ix_orders_created_at")
    op.execute("ALTER TABLE checkouts DROP COLUMN contact_as_of")
    op.execute("ALTER TABLE orders DROP COLUMN contact_as_of, DROP COLUMN clicked_message_id")
