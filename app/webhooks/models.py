"""The inbox, and how far each shop has been compared with Shopify."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model

Timestamp = DateTime(timezone=True)
LEFT = "provider IN ('shopify', 'stripe') AND outcome IN ('dead', 'no_handler', 'unmatched', 'wrong_mode')"


class Topic(StrEnum):
    """What an event of the carrier is about. Shopify's topics are its own words."""

    REPORT = "dlr"
    REPLY = "inbound"


class Left(StrEnum):
    """Outcomes of events of Shopify or Stripe that had no effect and wait for somebody to replay them."""

    DEAD = "dead"
    NO_HANDLER = "no_handler"
    UNMATCHED = "unmatched"
    WRONG_MODE = "wrong_mode"  # Stripe's only: of test money where we take real money, or the reverse


class Kind(StrEnum):
    """What is compared with Shopify."""

    CUSTOMERS = "customers"
    ORDERS = "orders"


class WebhookEvent(Model):
    """One event, once per (provider, external_id). While `processed_at` is empty it is due at `available_at`.

    `attempts` counts those in vain, `failure` names the error of the last. `outcome` says what was done;
    before that, whether its message was looked up at the carrier. Of Shopify's events no two with the same
    `object_key` are worked on at once. Stripe's are claimed until `claimed_until`, one of an object at once.
    """

    __tablename__ = "webhook_inbox"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    provider: Mapped[str] = mapped_column(Text)
    topic: Mapped[str] = mapped_column(Text)
    external_id: Mapped[str] = mapped_column(Text)
    shop_id: Mapped[int | None] = mapped_column(BigInteger)
    shop_domain: Mapped[str | None] = mapped_column(Text)
    triggered_at: Mapped[datetime | None] = mapped_column(Timestamp)
    object_key: Mapped[str | None] = mapped_column(Text)
    customer_id: Mapped[int | None] = mapped_column(BigInteger)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    received_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    available_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    claimed_until: Mapped[datetime | None] = mapped_column(Timestamp)
    processed_at: Mapped[datetime | None] = mapped_column(Timestamp)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    outcome: Mapped[str | None] = mapped_column(Text)
    failure: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (
        UniqueConstraint("provider", "external_id"),
        Index(
            "ix_webhook_inbox_waiting",
            "provider",
            "topic",
            "id",
            postgresql_where=text("processed_at IS NULL"),
        ),
        Index(
            "ix_webhook_inbox_failed", "processed_at", postgresql_where=text("outcome IN ('refused', 'dead')")
        ),
        Index(
            "ix_webhook_inbox_shopify_waiting",
            "shop_id",
            "id",
            postgresql_where=text("provider = 'shopify' AND processed_at IS NULL"),
        ),
        Index(
            "ix_webhook_inbox_shopify_customer",
            "shop_id",
            "customer_id",
            postgresql_where=text("provider = 'shopify' AND customer_id IS NOT NULL"),
        ),
        Index(
            "ix_webhook_inbox_shopify_object",
            "shop_id",
            "object_key",
            postgresql_where=text("provider = 'shopify'"),
        ),
        Index(
            "ix_webhook_inbox_left",
            "outcome",
            "id",
            postgresql_where=text(LEFT),
        ),
        Index(
            "ix_webhook_inbox_stripe_waiting",
            "object_key",
            "id",
            postgresql_where=text("provider = 'stripe' AND processed_at IS NULL"),
        ),
        Index(
            "uq_webhook_inbox_stripe_claimed",
            "object_key",
            unique=True,
            postgresql_where=text(
                "provider = 'stripe' AND processed_at IS NULL AND claimed_until IS NOT NULL"
            ),
        ),
    )


class Reconciliation(Model):
    """How far a shop has been compared with Shopify: everything changed before `seen_until` is in the inbox.

    While a walk is under way `started_at` and `page_cursor` say where it goes on; `found` counts the events
    that had never been delivered.
    """

    __tablename__ = "reconciliations"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    seen_until: Mapped[datetime] = mapped_column(Timestamp)
    started_at: Mapped[datetime | None] = mapped_column(Timestamp)
    page_cursor: Mapped[str | None] = mapped_column(Text)
    found: Mapped[int] = mapped_column(Integer, server_default="0")
    finished_at: Mapped[datetime | None] = mapped_column(Timestamp)
