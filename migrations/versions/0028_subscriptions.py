"""Subscriptions that Stripe keeps: its ids, what is to come, what is to be cancelled, who told us when.

Locks: `subscriptions` exclusively for moments; it has one row per shop.
"""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"

COLUMNS = (
    "currency text NOT NULL DEFAULT 'EUR' CONSTRAINT ck_subscriptions_currency"
    " CHECK (currency IN ('EUR', 'USD'))",
    "trial_end timestamptz",
    "stripe_customer_id text CONSTRAINT uq_subscriptions_stripe_customer_id UNIQUE",
    "stripe_subscription_id text CONSTRAINT uq_subscriptions_stripe_subscription_id UNIQUE",
    "stripe_schedule_id text",
    "superseded_stripe_subscription_id text",
    "checkout_session_id text",
    "pending_plan text CONSTRAINT ck_subscriptions_pending_plan CHECK (pending_plan IN ('starter', 'pro'))",
    "pending_interval text CONSTRAINT ck_subscriptions_pending_interval"
    " CHECK (pending_interval IN ('month', 'year'))",
    "pending_currency text CONSTRAINT ck_subscriptions_pending_currency"
    " CHECK (pending_currency IN ('EUR', 'USD'))",
    "pending_effective_at timestamptz",
    "allowance_period text",
    "allowance_started_at timestamptz",
    "last_billing_error text CONSTRAINT ck_subscriptions_last_billing_error"
    " CHECK (char_length(last_billing_error) <= 255)",
    "last_synced_at timestamptz",
    "source_of_truth text NOT NULL DEFAULT 'local' CONSTRAINT ck_subscriptions_source_of_truth"
    " CHECK (source_of_truth IN ('local', 'webhook', 'checkout', 'change', 'refresh', 'reconcile'))",
    "version bigint NOT NULL DEFAULT 0",
)
NAMES = [column.split()[0] for column in COLUMNS]


def upgrade() -> None:
    op.execute("ALTER TABLE subscriptions " + ", ".join(f"ADD COLUMN {column}" for column in COLUMNS))
    op.execute(
        "CREATE INDEX ix_subscriptions_superseded ON subscriptions (shop_id)"
        " WHERE superseded_stripe_subscription_id IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX ix_subscriptions_last_synced_at ON subscriptions (last_synced_at)"
        " WHERE stripe_subscription_id IS NOT NULL AND status <> 'cancelled'"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE subscriptions " + ", ".join(f"DROP COLUMN {name}" for name in NAMES))
