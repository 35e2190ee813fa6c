"""Which codes were given to whom."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Numeric,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model


class RunCode(Model):
    """The code that one sending gave to all its recipients, in small letters."""

    __tablename__ = "run_codes"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    code_key: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (
        CheckConstraint("code_key <> '' AND code_key = lower(code_key)", name="code_key"),
        Index("ix_run_codes_code_key", "shop_id", "code_key"),
    )


class Pool(Model):
    """Codes of one Shopify discount, each for one person. All of them are equally long.

    `discount_id` is Shopify's, empty until it is made there; `try_at` is when Shopify is asked again.
    """

    __tablename__ = "discount_pools"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    title: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text)
    percent: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    discount_id: Mapped[str | None] = mapped_column(Text)
    last_error: Mapped[str | None] = mapped_column(Text)
    try_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (
        UniqueConstraint("shop_id", "id", name="uq_discount_pools_shop_id_id"),
        CheckConstraint("title <> '' AND length(title) <= 200", name="title"),
        CheckConstraint("percent > 0 AND percent <= 100", name="percent"),
    )


class Code(Model):
    """One code: `live_at` once Shopify has it, `message_id` once a message gives it to somebody."""

    __tablename__ = "discount_codes"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    pool_id: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str] = mapped_column(Text)
    live_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    run_id: Mapped[int | None] = mapped_column(BigInteger)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (
        UniqueConstraint("shop_id", "code", name="uq_discount_codes_shop_id_code"),
        CheckConstraint("code <> '' AND code = upper(code)", name="code"),
        CheckConstraint("(run_id IS NULL) = (message_id IS NULL)", name="given"),
        CheckConstraint("live_at IS NOT NULL OR message_id IS NULL", name="live"),
        ForeignKeyConstraint(
            ["shop_id", "pool_id"],
            ["discount_pools.shop_id", "discount_pools.id"],
            name="fk_discount_codes_pool",
            ondelete="CASCADE",
        ),
        Index(
            "uq_discount_codes_message_id",
            "message_id",
            unique=True,
            postgresql_where=text("message_id IS NOT NULL"),
        ),
        Index(
            "ix_discount_codes_free",
            "pool_id",
            "id",
            postgresql_where=text("live_at IS NOT NULL AND message_id IS NULL"),
        ),
        Index("ix_discount_codes_run_id", "run_id", postgresql_where=text("run_id IS NOT NULL")),
        Index(
            "ix_discount_codes_not_live", "shop_id", "pool_id", "id", postgresql_where=text("live_at IS NULL")
        ),
    )
