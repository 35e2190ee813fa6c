"""Campaigns: what a merchant writes and sends."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model


class CampaignStatus(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ScheduleType(StrEnum):
    IMMEDIATE = "immediate"
    SCHEDULED = "scheduled"
    RECURRING = "recurring"


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Campaign(Model):
    """One text to one audience, sent once or every `recurring_days`.

    `run_id` is the newest sending (none before the first); `frozen_at` is set once its audience is frozen.
    The runs from `first_run_no` on are one sending, however often it was cancelled and taken up again:
    nobody is texted twice in them.
    """

    __tablename__ = "campaigns"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    name: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    audience: Mapped[str] = mapped_column(Text, server_default="all")
    discount_id: Mapped[str | None] = mapped_column(Text)
    schedule_type: Mapped[str] = mapped_column(Text, server_default="immediate")
    schedule_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    recurring_days: Mapped[int | None] = mapped_column(Integer)
    priority: Mapped[str] = mapped_column(Text, server_default="normal")
    meta: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    status: Mapped[str] = mapped_column(Text, server_default="draft")
    status_before: Mapped[str | None] = mapped_column(Text)
    run_no: Mapped[int] = mapped_column(Integer, server_default="0")
    first_run_no: Mapped[int] = mapped_column(Integer, server_default="1")
    run_id: Mapped[int | None] = mapped_column(BigInteger)
    frozen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_enqueue_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("shop_id", "name"),
        Index("ix_campaigns_shop_id_created_at", "shop_id", sql("created_at DESC"), sql("id DESC")),
        Index("ix_campaigns_due", "schedule_at", postgresql_where=sql("status = 'scheduled'")),
        Index("ix_campaigns_sending", "id", postgresql_where=sql("status = 'sending'")),
        Index("ix_campaigns_status_shop_id", "status", "shop_id"),
    )


class CampaignQuote(Model):
    """What a campaign was said to cost at most, while `fingerprint` stays true of it.

    `run_id` is the sending that was started with it; it is used once.
    """

    __tablename__ = "campaign_quotes"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    fingerprint: Mapped[str] = mapped_column(Text)
    recipients: Mapped[int] = mapped_column(Integer)
    credits: Mapped[int] = mapped_column(BigInteger)
    run_id: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        CheckConstraint("recipients >= 0", name="recipients"),
        CheckConstraint("credits >= 0", name="credits"),
        ForeignKeyConstraint(
            ["shop_id", "campaign_id"],
            ["campaigns.shop_id", "campaigns.id"],
            name="fk_campaign_quotes_campaign",
            ondelete="CASCADE",
        ),
        Index("ix_campaign_quotes_campaign", "shop_id", "campaign_id"),
        Index("uq_campaign_quotes_run_id", "run_id", unique=True, postgresql_where=sql("run_id IS NOT NULL")),
        Index("ix_campaign_quotes_unused", "expires_at", postgresql_where=sql("run_id IS NULL")),
    )
