"""The inbox takes Shopify's events: whose, about which object, when caused; how far a shop was compared.

Locks: `webhook_inbox` exclusively for the new columns and indexes. They hold a month of events and are built
in seconds; the carrier and Shopify post again what is not answered meanwhile.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0019"
down_revision = "0018"

# Of the new indexes none holds a row of the carrier: its path stays as fast as it is.
INBOX = """
ALTER TABLE webhook_inbox
  ADD COLUMN shop_domain text,
  ADD COLUMN triggered_at timestamptz,
  ADD COLUMN object_key text,
  ADD COLUMN customer_id bigint,
  ADD COLUMN failure text;
CREATE INDEX ix_webhook_inbox_shopify_waiting ON webhook_inbox (shop_id, id)
  WHERE provider = 'shopify' AND processed_at IS NULL;
CREATE INDEX ix_webhook_inbox_shopify_customer ON webhook_inbox (shop_id, customer_id)
  WHERE provider = 'shopify' AND customer_id IS NOT NULL;
CREATE INDEX ix_webhook_inbox_shopify_object ON webhook_inbox (shop_id, object_key)
  WHERE provider = 'shopify';
CREATE INDEX ix_webhook_inbox_left ON webhook_inbox (outcome, id)
  WHERE provider = 'shopify' AND outcome IN ('dead', 'no_handler', 'unmatched');

CREATE TABLE reconciliations (
  shop_id bigint NOT NULL REFERENCES shops (id),
  kind text NOT NULL CONSTRAINT ck_reconciliations_kind CHECK (kind IN ('customers', 'orders')),
  seen_until timestamptz NOT NULL,
  started_at timestamptz,
  page_cursor text,
  found integer NOT NULL DEFAULT 0,
  finished_at timestamptz,
  CONSTRAINT pk_reconciliations PRIMARY KEY (shop_id, kind)
);
"""


def upgrade() -> None:
    op.execute(INBOX)
    protect("reconciliations")
    grant("reconciliations")


def downgrade() -> None:
    op.execute("DROP TABLE reconciliations")
    op.execute(
        "DROP INDEX ix_webhook_inbox_left, ix_webhook_inbox_shopify_object,"
        " ix_webhook_inbox_shopify_customer, ix_webhook_inbox_shopify_waiting"
    )
    op.execute(
        "ALTER TABLE webhook_inbox DROP COLUMN failure, DROP COLUMN customer_id,"
        " DROP COLUMN object_key, DROP COLUMN triggered_at, DROP COLUMN shop_domain"
    )
