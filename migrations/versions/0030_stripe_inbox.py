"""The inbox takes Stripe's events: claimed with a lease, one of a customer at a time.

Locks: `webhook_inbox` exclusively for the new column and indexes. They hold a month of events and are built
in seconds; the carrier, Shopify and Stripe post again what is not answered meanwhile.
"""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"

# The new indexes hold no row of the carrier or of Shopify. That of what is left takes Stripe's in.
INBOX = """
ALTER TABLE webhook_inbox ADD COLUMN claimed_until timestamptz;
CREATE INDEX ix_webhook_inbox_stripe_waiting ON webhook_inbox (object_key, id)
  WHERE provider = 'stripe' AND processed_at IS NULL;
CREATE UNIQUE INDEX uq_webhook_inbox_stripe_claimed ON webhook_inbox (object_key)
  WHERE provider = 'stripe' AND processed_at IS NULL AND claimed_until IS NOT NULL;
DROP INDEX ix_webhook_inbox_left;
CREATE INDEX ix_webhook_inbox_left ON webhook_inbox (outcome, id)
  WHERE provider IN ('shopify', 'stripe') AND outcome IN ('dead', 'no_handler', 'unmatched', 'wrong_mode');
"""


def upgrade() -> None:
    op.execute(INBOX)


def downgrade() -> None:
    op.execute(
        "DROP INDEX ix_webhook_inbox_left, uq_webhook_inbox_stripe_claimed, ix_webhook_inbox_stripe_waiting"
    )
    op.execute("ALTER TABLE webhook_inbox DROP COLUMN claimed_until")
    op.execute(
        "CREATE INDEX ix_webhook_inbox_left ON webhook_inbox (outcome, id)"
        " WHERE provider = 'shopify' AND outcome IN ('dead', 'no_handler', 'unmatched')"
    )
