"""Small indexes for what is looked at every minute: events that were given up, and campaigns by state.

Locks: `webhook_inbox` and `campaigns` against writes while the indexes are built; the first holds next to
nothing, the second a few dozen bytes for each campaign.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_webhook_inbox_failed ON webhook_inbox (processed_at)"
        " WHERE outcome IN ('refused', 'dead')"
    )
    # The policy reads the shop: without it every count would visit the table.
    op.execute("CREATE INDEX ix_campaigns_status_shop_id ON campaigns (status, shop_id)")


def downgrade() -> None:
    op.execute("DROP INDEX ix_campaigns_status_shop_id")
    op.execute("DROP INDEX ix_webhook_inbox_failed")
