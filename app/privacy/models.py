"""Requests about people's data."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model

Timestamp = DateTime(timezone=True)


class Kind(StrEnum):
    DATA_REQUEST = "data_request"
    CUSTOMER_REDACT = "customer_redact"
    SHOP_REDACT = "shop_redact"


class Status(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    DECLINED = "declined"


class PrivacyRequest(Model):
    """One request, once per event of the inbox, and the evidence of what was done: rows by table.

    It names nobody: whom it is about stands in the inbox, until that is scrubbed.
    """

    __tablename__ = "privacy_requests"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    inbox_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="waiting")
    reason: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    fetched_at: Mapped[datetime | None] = mapped_column(Timestamp)
    done_at: Mapped[datetime | None] = mapped_column(Timestamp)
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    __table_args__ = (
        UniqueConstraint("shop_id", "inbox_id", name="uq_privacy_requests_inbox"),
        Index("ix_privacy_requests_waiting", "shop_id", "id", postgresql_where=text("status = 'waiting'")),
        Index("ix_privacy_requests_shop", "shop_id", text("id DESC")),
    )
