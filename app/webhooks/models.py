"""The inbox."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Identity, Index, SmallInteger, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model


class Topic(StrEnum):
    """What an event of the carrier is about."""

    REPORT = "dlr"
    REPLY = "inbound"


class WebhookEvent(Model):
    """One event, once per (provider, external_id). While `processed_at` is empty it is due at `available_at`.

    `attempts` counts those in vain. `outcome` says what was done; before that, whether its message was looked
    up at the carrier.
    """

    __tablename__ = "webhook_inbox"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    provider: Mapped[str] = mapped_column(Text)
    topic: Mapped[str] = mapped_column(Text)
    external_id: Mapped[str] = mapped_column(Text)
    shop_id: Mapped[int | None] = mapped_column(BigInteger)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    available_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    processed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    outcome: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (
        UniqueConstraint("provider", "external_id"),
        Index(
            "ix_webhook_inbox_waiting",
            "provider",
            "topic",
            "id",
            postgresql_where=text("processed_at IS NULL"),
        ),
    )
