"""Whom a campaign can be for: audiences, and the segments behind some of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
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
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model


class AudienceKind(StrEnum):
    ALL = "all"
    MEN = "men"
    WOMEN = "women"
    SEGMENT = "segment"


@dataclass(frozen=True)
class Audience:
    """Opted-in contacts of a shop, narrowed by `kind`. `segment_id` is set for segments only."""

    kind: AudienceKind
    segment_id: int | None = None

    def __str__(self) -> str:
        return self.kind if self.segment_id is None else f"segment:{self.segment_id}"


class SegmentKind(StrEnum):
    SYSTEM = "system"
    CUSTOM = "custom"


class Segment(Model):
    """A named part of a shop's contacts: a system one by `key`, a custom one by `rule` or by its members."""

    __tablename__ = "segments"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    key: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    rule: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    is_active: Mapped[bool] = mapped_column(Boolean, server_default="true")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (
        UniqueConstraint("shop_id", "id", name="uq_segments_shop_id_id"),
        UniqueConstraint("shop_id", "name", name="uq_segments_shop_id_name"),
        UniqueConstraint("shop_id", "key", name="uq_segments_shop_id_key"),
        CheckConstraint("name <> '' AND length(name) <= 100", name="name"),
        CheckConstraint("kind IN ('system', 'custom')", name="kind"),
    )

    @property
    def audience(self) -> Audience:
        """The audience that is this segment."""
        return Audience(AudienceKind.SEGMENT, self.id)


class SegmentMember(Model):
    """A contact that somebody put into a segment by hand. Goes with the segment and with the contact."""

    __tablename__ = "segment_members"
    shop_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    segment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    contact_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    __table_args__ = (
        ForeignKeyConstraint(
            ["shop_id", "segment_id"], ["segments.shop_id", "segments.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["shop_id", "contact_id"], ["contacts.shop_id", "contacts.id"], ondelete="CASCADE"
        ),
        Index("ix_segment_members_contact", "shop_id", "contact_id"),
    )
