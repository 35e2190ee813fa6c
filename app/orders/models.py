"""Orders, fulfilments and checkouts: facts that Shopify told us, as of each object's own `updated_at`.

Money is in cents of `currency`. Names and addresses are not kept: they are the contact's.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model

Timestamp = DateTime(timezone=True)


class Order(Model):
    """One order. `items` is a list of {title, quantity}; `placed_at` is when the customer bought.

    `refunds` maps each refund's Shopify id to its cents: whoever tells of one again adds nothing.
    `contact_as_of` is the order's own time at which it last named its contact. `clicked_message_id` is the
    message whose link led to the shop, when the buyer's way there says so.
    """

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    shopify_id: Mapped[int] = mapped_column(BigInteger)
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    contact_as_of: Mapped[datetime | None] = mapped_column(Timestamp)
    name: Mapped[str] = mapped_column(Text)
    placed_at: Mapped[datetime] = mapped_column(Timestamp)
    currency: Mapped[str] = mapped_column(Text)
    total_cents: Mapped[int] = mapped_column(BigInteger)
    refunds: Mapped[dict[str, int]] = mapped_column(JSONB, server_default="{}")
    refunded_cents: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cancelled_at: Mapped[datetime | None] = mapped_column(Timestamp)
    financial_status: Mapped[str | None] = mapped_column(Text)
    fulfillment_status: Mapped[str | None] = mapped_column(Text)
    checkout_token: Mapped[str | None] = mapped_column(Text)
    cart_token: Mapped[str | None] = mapped_column(Text)
    discount_codes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    landing_site: Mapped[str | None] = mapped_column(Text)
    clicked_message_id: Mapped[int | None] = mapped_column(BigInteger)
    is_test: Mapped[bool] = mapped_column(Boolean, server_default="false")
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    city: Mapped[str | None] = mapped_column(Text)
    country: Mapped[str | None] = mapped_column(Text)
    source_updated_at: Mapped[datetime] = mapped_column(Timestamp)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    __table_args__ = (
        UniqueConstraint("shop_id", "id", name="uq_orders_shop_id_id"),
        UniqueConstraint("shop_id", "shopify_id", name="uq_orders_shop_id_shopify_id"),
        CheckConstraint("refunded_cents >= 0", name="refunded"),
        ForeignKeyConstraint(
            ["shop_id", "contact_id"],
            ["contacts.shop_id", "contacts.id"],
            name="fk_orders_contact",
            ondelete="SET NULL (contact_id)",
        ),
        Index("ix_orders_contact", "shop_id", "contact_id", "placed_at"),
        Index("ix_orders_shop_id_placed_at", "shop_id", "placed_at"),
        Index("ix_orders_created_at", "created_at"),
        Index(
            "ix_orders_checkout",
            "shop_id",
            "checkout_token",
            postgresql_where=text("checkout_token IS NOT NULL"),
        ),
    )

    @property
    def is_taken_back(self) -> bool:
        """Whether nothing is left of the sale."""
        return self.cancelled_at is not None or 0 < self.total_cents <= self.refunded_cents


class Fulfilment(Model):
    """One parcel of an order."""

    __tablename__ = "fulfilments"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    shopify_id: Mapped[int] = mapped_column(BigInteger)
    order_id: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str | None] = mapped_column(Text)
    shipment_status: Mapped[str | None] = mapped_column(Text)
    tracking_number: Mapped[str | None] = mapped_column(Text)
    tracking_url: Mapped[str | None] = mapped_column(Text)
    tracking_company: Mapped[str | None] = mapped_column(Text)
    fulfilled_at: Mapped[datetime] = mapped_column(Timestamp)
    delivered_at: Mapped[datetime | None] = mapped_column(Timestamp)
    estimated_delivery_at: Mapped[datetime | None] = mapped_column(Timestamp)
    source_updated_at: Mapped[datetime] = mapped_column(Timestamp)
    __table_args__ = (
        UniqueConstraint("shop_id", "shopify_id", name="uq_fulfilments_shop_id_shopify_id"),
        ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name="fk_fulfilments_order",
            ondelete="CASCADE",
        ),
        Index("ix_fulfilments_order", "shop_id", "order_id"),
    )


class Checkout(Model):
    """One checkout. It was abandoned when it has a contact, no `completed_at`, and time has passed."""

    __tablename__ = "checkouts"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    token: Mapped[str] = mapped_column(Text)
    cart_token: Mapped[str | None] = mapped_column(Text)
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    contact_as_of: Mapped[datetime | None] = mapped_column(Timestamp)
    url: Mapped[str | None] = mapped_column(Text)
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    subtotal_cents: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(Text)
    discount_codes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    started_at: Mapped[datetime] = mapped_column(Timestamp)
    completed_at: Mapped[datetime | None] = mapped_column(Timestamp)
    source_updated_at: Mapped[datetime] = mapped_column(Timestamp)
    __table_args__ = (
        UniqueConstraint("shop_id", "token", name="uq_checkouts_shop_id_token"),
        ForeignKeyConstraint(
            ["shop_id", "contact_id"],
            ["contacts.shop_id", "contacts.id"],
            name="fk_checkouts_contact",
            ondelete="SET NULL (contact_id)",
        ),
        Index("ix_checkouts_contact", "shop_id", "contact_id"),
        Index("ix_checkouts_cart", "shop_id", "cart_token", postgresql_where=text("cart_token IS NOT NULL")),
    )


class Evidence(StrEnum):
    """What shows that a text brought an order about."""

    CLICK = "click"
    CODE = "code"


class CreditedSource(StrEnum):
    """Whose texts an order can be counted for: those that sell."""

    CAMPAIGN = "campaign"
    AUTOMATION = "automation"


class Attribution(Model):
    """The one text that an order is counted for; `at` is when its link was clicked or its code was given.

    `message_id` is empty when somebody used a campaign's code to whom we had not sent it.
    """

    __tablename__ = "order_attributions"
    order_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    run_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(Text)
    source_id: Mapped[int] = mapped_column(BigInteger)
    evidence: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Timestamp)
    decided_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    __table_args__ = (
        ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name="fk_order_attributions_order",
            ondelete="CASCADE",
        ),
        Index("ix_order_attributions_source", "shop_id", "source", "source_id"),
        Index("ix_order_attributions_run_id", "shop_id", "run_id"),
    )
