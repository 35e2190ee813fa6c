"""What a shop subscribes to: the only copy of it here; Stripe's is what it follows."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model


class SubscriptionStatus(StrEnum):
    """Stripe's words, but `cancelled` for its `canceled` and `incomplete_expired`."""

    ACTIVE = "active"
    TRIALING = "trialing"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    INCOMPLETE = "incomplete"
    PAUSED = "paused"
    INACTIVE = "inactive"
    CANCELLED = "cancelled"


class Source(StrEnum):
    """Who told us last how the subscription stands. `local`: an operator made it, Stripe knows nothing."""

    LOCAL = "local"
    WEBHOOK = "webhook"
    CHECKOUT = "checkout"
    CHANGE = "change"
    REFRESH = "refresh"
    RECONCILE = "reconcile"


SENDING = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIALING})
# Stripe goes on charging for these, so a second one beside them would be paid twice.
LIVE = SENDING | {SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID, SubscriptionStatus.PAUSED}


class Subscription(Model):
    """What a shop pays for. Sending needs `active` or `trialing`.

    `version` counts what was read from Stripe and written here: a reading applies only while it has not
    moved. `allowance_period` names the period whose SMS were included last. A superseded subscription is one
    that is still to be cancelled at Stripe because another one has taken its place.
    """

    __tablename__ = "subscriptions"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    plan: Mapped[str] = mapped_column(Text)
    billing_interval: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text, server_default="EUR")
    status: Mapped[str] = mapped_column(Text)
    included_sms: Mapped[int] = mapped_column(Integer, server_default="0")
    period_start: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    period_end: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    trial_end: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cancel_at_period_end: Mapped[bool] = mapped_column(Boolean, server_default="false")
    stripe_customer_id: Mapped[str | None] = mapped_column(Text)
    stripe_subscription_id: Mapped[str | None] = mapped_column(Text)
    stripe_schedule_id: Mapped[str | None] = mapped_column(Text)
    superseded_stripe_subscription_id: Mapped[str | None] = mapped_column(Text)
    checkout_session_id: Mapped[str | None] = mapped_column(Text)
    pending_plan: Mapped[str | None] = mapped_column(Text)
    pending_interval: Mapped[str | None] = mapped_column(Text)
    pending_currency: Mapped[str | None] = mapped_column(Text)
    pending_effective_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    allowance_period: Mapped[str | None] = mapped_column(Text)
    allowance_started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_billing_error: Mapped[str | None] = mapped_column(Text)
    last_synced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    source_of_truth: Mapped[str] = mapped_column(Text, server_default="local")
    version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (
        UniqueConstraint("stripe_customer_id"),
        UniqueConstraint("stripe_subscription_id"),
        CheckConstraint("char_length(last_billing_error) <= 255", name="last_billing_error"),
        Index(
            "ix_subscriptions_superseded",
            "shop_id",
            postgresql_where=text("superseded_stripe_subscription_id IS NOT NULL"),
        ),
        Index(
            "ix_subscriptions_last_synced_at",
            "last_synced_at",
            postgresql_where=text("stripe_subscription_id IS NOT NULL AND status <> 'cancelled'"),
        ),
    )

    @property
    def is_active(self) -> bool:
        return self.status in SENDING

    @property
    def is_live(self) -> bool:
        """Whether it is charged for, or will be."""
        return self.status in LIVE
