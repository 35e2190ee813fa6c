"""Templates: texts to start a campaign from, shared by all shops or a shop's own."""

from __future__ import annotations

from datetime import datetime

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
    Integer,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model

Timestamp = DateTime(timezone=True)


class Template(Model):
    """A text to start from. Without a shop it is shared: every shop reads it, none can change it.

    `library_version` is the library's that was last applied (None when the library does not know the text);
    `edited_at` says that its words are somebody's own since, and no library overwrites them.
    """

    __tablename__ = "templates"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("shops.id"))
    eshop_type: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    goal: Mapped[str | None] = mapped_column(Text)
    suggested_metrics: Mapped[str | None] = mapped_column(Text)
    preview_image: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    is_public: Mapped[bool] = mapped_column(Boolean, server_default="true")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    library_version: Mapped[int | None] = mapped_column(Integer)
    edited_at: Mapped[datetime | None] = mapped_column(Timestamp)
    retired_at: Mapped[datetime | None] = mapped_column(Timestamp)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    __table_args__ = (
        UniqueConstraint("shop_id", "id", name="uq_templates_shop_id_id"),
        UniqueConstraint(
            "shop_id",
            "eshop_type",
            "key",
            name="uq_templates_shop_id_eshop_type_key",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint(
            "eshop_type IN ('fashion', 'beauty', 'electronics', 'food', 'services', 'home', 'sports',"
            " 'books', 'toys', 'generic')",
            name="eshop_type",
        ),
        CheckConstraint("key <> '' AND length(key) <= 100", name="key"),
        CheckConstraint("title <> '' AND length(title) <= 100", name="title"),
        CheckConstraint("category <> '' AND length(category) <= 100", name="category"),
        CheckConstraint("content <> '' AND length(content) <= 1600", name="content"),
        CheckConstraint("length(goal) <= 200", name="goal"),
        CheckConstraint("length(suggested_metrics) <= 500", name="suggested_metrics"),
    )


class TemplateVersion(Model):
    """The words of a template at one version, the current one included. Rows are added, never changed."""

    __tablename__ = "template_versions"
    template_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    shop_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("shops.id"))
    title: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    goal: Mapped[str | None] = mapped_column(Text)
    suggested_metrics: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    __table_args__ = (
        ForeignKeyConstraint(["shop_id", "template_id"], ["templates.shop_id", "templates.id"]),
    )


class TemplateUsage(Model):
    """How often a shop has started from a template."""

    __tablename__ = "template_usage"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    template_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    used_count: Mapped[int] = mapped_column(Integer, server_default="1")
    last_used_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    __table_args__ = (Index("ix_template_usage_template_id", "template_id"),)
