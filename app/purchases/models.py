"""What a shop buys once, when we may buy for it, and what it is told of."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model


class PurchaseKind(StrEnum):
    TOPUP = "topup"
    PACKAGE = "package"
    RECHARGE = "recharge"


class PurchaseStatus(StrEnum):
    """Mismatched: what was paid is not what was asked, so nothing was credited. Refunded: all of it."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    MISMATCHED = "mismatched"
    REFUNDED = "refunded"


class AlertKind(StrEnum):
    LOW_BALANCE = "low_balance"
    RECHARGE_FAILED = "recharge_failed"
    RECHARGE_CAP_REACHED = "recharge_cap_reached"
    PAYMENT_MISMATCHED = "payment_mismatched"
    DEBT = "debt"


CREDITED = frozenset({PurchaseStatus.PAID, PurchaseStatus.REFUNDED})
# Stripe's metadata `type` of each kind.
TYPES = {
    PurchaseKind.TOPUP: "credit_topup",
    PurchaseKind.PACKAGE: "credit_pack",
    PurchaseKind.RECHARGE: "credit_recharge",
}


class Purchase(Model):
    """Credits for money: this row decides how many and how much, and Stripe's answer must agree with it.

    Everything that Stripe is told about it follows from the row, so that asking again asks the same. `payer`
    keeps what was known of who pays when the VAT was reckoned. `reversals` and `reinstatements` number its
    transfers, `version` the readings of Stripe that were applied.
    """

    __tablename__ = "purchases"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    kind: Mapped[str] = mapped_column(Text)
    credits: Mapped[int] = mapped_column(BigInteger)
    package: Mapped[str | None] = mapped_column(Text)
    net_cents: Mapped[int] = mapped_column(BigInteger)
    tax_cents: Mapped[int] = mapped_column(BigInteger, server_default="0")
    gross_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    vat_treatment: Mapped[str] = mapped_column(Text)
    vat_rate: Mapped[Decimal | None] = mapped_column(Numeric(6, 4))
    vat_jurisdiction: Mapped[str | None] = mapped_column(Text)
    payer: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    status: Mapped[str] = mapped_column(Text, server_default="pending")
    failure: Mapped[str | None] = mapped_column(Text)
    idempotency_key: Mapped[str | None] = mapped_column(Text)
    request_hash: Mapped[str | None] = mapped_column(Text)
    success_url: Mapped[str | None] = mapped_column(Text)
    cancel_url: Mapped[str | None] = mapped_column(Text)
    stripe_customer_id: Mapped[str | None] = mapped_column(Text)
    stripe_session_id: Mapped[str | None] = mapped_column(Text)
    stripe_payment_intent_id: Mapped[str | None] = mapped_column(Text)
    is_taxed_by_stripe: Mapped[bool] = mapped_column(Boolean, server_default="false")
    keeps_card: Mapped[bool] = mapped_column(Boolean, server_default="false")
    reversed_credits: Mapped[int] = mapped_column(BigInteger, server_default="0")
    reversals: Mapped[int] = mapped_column(Integer, server_default="0")
    reinstatements: Mapped[int] = mapped_column(Integer, server_default="0")
    refunded_cents: Mapped[int] = mapped_column(BigInteger, server_default="0")
    disputed_cents: Mapped[int] = mapped_column(BigInteger, server_default="0")
    version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    paid_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (
        UniqueConstraint("shop_id", "id", name="uq_purchases_shop_id_id"),
        UniqueConstraint("shop_id", "idempotency_key", name="uq_purchases_shop_id_idempotency_key"),
        UniqueConstraint("stripe_session_id", name="uq_purchases_stripe_session_id"),
        UniqueConstraint("stripe_payment_intent_id", name="uq_purchases_stripe_payment_intent_id"),
        CheckConstraint("kind IN ('topup', 'package', 'recharge')", name="kind"),
        CheckConstraint(
            "status IN ('pending', 'paid', 'failed', 'expired', 'mismatched', 'refunded')", name="status"
        ),
        CheckConstraint("credits > 0", name="credits"),
        CheckConstraint(
            "net_cents >= 0 AND tax_cents >= 0 AND gross_cents = net_cents + tax_cents", name="money"
        ),
        CheckConstraint("reversed_credits BETWEEN 0 AND credits", name="reversed_credits"),
        CheckConstraint("(paid_at IS NOT NULL) = (status = 'paid' OR status = 'refunded')", name="paid"),
        Index("ix_purchases_shop_id_created_at", "shop_id", text("created_at DESC"), text("id DESC")),
        Index("ix_purchases_open", "created_at", "id", postgresql_where=text("status = 'pending'")),
        Index(
            "uq_purchases_recharge",
            "shop_id",
            unique=True,
            postgresql_where=text("kind = 'recharge' AND status = 'pending'"),
        ),
        Index("ix_purchases_recharges", "shop_id", "created_at", postgresql_where=text("kind = 'recharge'")),
    )

    @property
    def is_credited(self) -> bool:
        return self.status in CREDITED

    @property
    def type(self) -> str:
        """What it is called in Stripe's metadata."""
        return TYPES[PurchaseKind(self.kind)]


class RechargeSettings(Model):
    """When the shop lets us buy credits for it, of how many cents a month at most, and with which card.

    `suspended_at`: its card was refused; nothing is bought until the shop saves these or pays by hand.
    """

    __tablename__ = "recharge_settings"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    is_enabled: Mapped[bool] = mapped_column(Boolean, server_default="false")
    threshold: Mapped[int] = mapped_column(BigInteger, server_default="100")
    credits: Mapped[int] = mapped_column(BigInteger, server_default="1000")
    monthly_cap_cents: Mapped[int | None] = mapped_column(BigInteger)
    low_balance_threshold: Mapped[int | None] = mapped_column(BigInteger)
    stripe_payment_method_id: Mapped[str | None] = mapped_column(Text)
    suspended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (
        CheckConstraint("threshold >= 0", name="threshold"),
        CheckConstraint("credits > 0", name="credits"),
        CheckConstraint("monthly_cap_cents >= 0", name="monthly_cap_cents"),
        CheckConstraint("low_balance_threshold >= 0", name="low_balance_threshold"),
    )


class BillingAlert(Model):
    """Something about its money that the shop should know, once for as long as it lasts."""

    __tablename__ = "billing_alerts"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    kind: Mapped[str] = mapped_column(Text)
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    dismissed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        CheckConstraint(
            "kind IN ('low_balance', 'recharge_failed', 'recharge_cap_reached', 'payment_mismatched',"
            " 'debt')",
            name="kind",
        ),
        Index(
            "uq_billing_alerts_open",
            "shop_id",
            "kind",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
    )
