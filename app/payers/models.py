"""Billing profiles, and what shows how each sale was taxed."""

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


class Treatment(StrEnum):
    """How a sale is taxed."""

    UNKNOWN = "unknown"
    NON_EU = "non_eu"
    DOMESTIC_VAT = "domestic_vat"
    EU_REVERSE_CHARGE = "eu_reverse_charge"
    EU_B2C = "eu_b2c"


class VatStatus(StrEnum):
    """What a register said of a VAT number. `unavailable`: it did not answer, and is asked again."""

    PENDING = "pending"
    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    UNAVAILABLE = "unavailable"


class SaleKind(StrEnum):
    """What was sold."""

    PURCHASE = "purchase"
    INVOICE = "invoice"


class VatSource(StrEnum):
    """Who said it: the EU's register itself, or Stripe, who asks it too."""

    VIES = "vies"
    STRIPE = "stripe"


STATUSES = "('pending', 'verified', 'unverified', 'unavailable')"
CURRENCIES = "('EUR', 'USD')"


class Profile(Model):
    """Who pays for a shop: its customer at Stripe, and what bills are to say.

    Changes go to Stripe until `pushed_version` is `version`; `push_at` is when that is tried next.
    `vat_version` is the version at which the VAT number came or went, `vat_check_at` when the register is
    asked next, if at all. `synced_at`: when Stripe was last read at the merchant's wish.
    """

    __tablename__ = "billing_profiles"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    stripe_customer_id: Mapped[str | None] = mapped_column(Text)
    legal_name: Mapped[str | None] = mapped_column(Text)
    billing_email: Mapped[str | None] = mapped_column(Text)
    billing_address: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    is_business: Mapped[bool] = mapped_column(Boolean, server_default="false")
    tax_exempt: Mapped[bool] = mapped_column(Boolean, server_default="false")
    vat_number: Mapped[str | None] = mapped_column(Text)
    vat_country: Mapped[str | None] = mapped_column(Text)
    vat_status: Mapped[str | None] = mapped_column(Text)
    vat_source: Mapped[str | None] = mapped_column(Text)
    vat_checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    vat_consultation: Mapped[str | None] = mapped_column(Text)
    vat_version: Mapped[int] = mapped_column(Integer, server_default="0")
    vat_check_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    vat_tries: Mapped[int] = mapped_column(Integer, server_default="0")
    version: Mapped[int] = mapped_column(Integer, server_default="0")
    pushed_version: Mapped[int] = mapped_column(Integer, server_default="0")
    push_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    push_tries: Mapped[int] = mapped_column(Integer, server_default="0")
    synced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (
        CheckConstraint("vat_country ~ '^[A-Z]{2}$'", name="vat_country"),
        CheckConstraint(f"vat_status IN {STATUSES}", name="vat_status"),
        CheckConstraint("vat_source IN ('vies', 'stripe')", name="vat_source"),
        CheckConstraint("(vat_number IS NULL) = (vat_status IS NULL)", name="vat"),
        CheckConstraint("pushed_version <= version AND vat_version <= version", name="pushed"),
        Index(
            "uq_billing_profiles_stripe_customer_id",
            "stripe_customer_id",
            unique=True,
            postgresql_where=text("stripe_customer_id IS NOT NULL"),
        ),
        Index("ix_billing_profiles_push_at", "push_at", postgresql_where=text("pushed_version < version")),
        Index(
            "ix_billing_profiles_vat_check_at",
            "vat_check_at",
            postgresql_where=text("vat_check_at IS NOT NULL"),
        ),
    )

    @property
    def billing_country(self) -> str | None:
        """The country of the billing address."""
        return (self.billing_address or {}).get("country")

    @property
    def country_of_vat(self) -> str | None:
        """The country that the VAT number is said to be of, else that of the billing address."""
        return self.vat_country or self.billing_country


class Evidence(Model):
    """How one sale was taxed and why. `sale_id` is a purchase's id or Stripe's of an invoice. Append-only."""

    __tablename__ = "tax_evidence"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    sale_kind: Mapped[str] = mapped_column(Text)
    sale_id: Mapped[str] = mapped_column(Text)
    ip_country: Mapped[str | None] = mapped_column(Text)
    billing_country: Mapped[str | None] = mapped_column(Text)
    vat_number: Mapped[str | None] = mapped_column(Text)
    vat_status: Mapped[str | None] = mapped_column(Text)
    vat_source: Mapped[str | None] = mapped_column(Text)
    vat_checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    vat_consultation: Mapped[str | None] = mapped_column(Text)
    treatment: Mapped[str] = mapped_column(Text)
    jurisdiction: Mapped[str | None] = mapped_column(Text)
    rate: Mapped[Decimal | None] = mapped_column(Numeric(6, 4))
    net_cents: Mapped[int] = mapped_column(BigInteger)
    tax_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (
        UniqueConstraint("shop_id", "sale_kind", "sale_id", name="uq_tax_evidence_sale"),
        CheckConstraint("sale_kind IN ('purchase', 'invoice')", name="sale_kind"),
        CheckConstraint(f"vat_status IN {STATUSES}", name="vat_status"),
        CheckConstraint(
            "treatment IN ('unknown', 'non_eu', 'domestic_vat', 'eu_reverse_charge', 'eu_b2c')",
            name="treatment",
        ),
        CheckConstraint("net_cents >= 0", name="net_cents"),
        CheckConstraint("tax_cents >= 0", name="tax_cents"),
        CheckConstraint(f"currency IN {CURRENCIES}", name="currency"),
        CheckConstraint("treatment <> 'eu_reverse_charge' OR vat_status = 'verified'", name="verified"),
        Index("ix_tax_evidence_shop_id", "shop_id", "created_at"),
    )
