"""The first import of a shop's customers, and what stands in the way of telling Shopify of consent."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

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
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model

Timestamp = DateTime(timezone=True)


class CustomerImportStatus(StrEnum):
    """Waiting for Shopify to begin, Shopify writes the file, its lines are taken in, and the two ends."""

    WAITING = "waiting"
    EXPORTING = "exporting"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


UNFINISHED = (CustomerImportStatus.WAITING, CustomerImportStatus.EXPORTING, CustomerImportStatus.RUNNING)


class CustomerImport(Model):
    """All customers of a shop, taken in after it was connected. One at a time.

    The counts are those of the file's first `done_rows` lines, committed together with their contacts:
    `created` + `updated` + `skipped` (no number that can receive texts) + `unreadable` are all of them.
    """

    __tablename__ = "customer_imports"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    status: Mapped[str] = mapped_column(Text, server_default="waiting")
    operation_id: Mapped[str | None] = mapped_column(Text)
    expected_rows: Mapped[int] = mapped_column(BigInteger, server_default="0")
    size_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    done_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    done_rows: Mapped[int] = mapped_column(BigInteger, server_default="0")
    created: Mapped[int] = mapped_column(BigInteger, server_default="0")
    updated: Mapped[int] = mapped_column(BigInteger, server_default="0")
    skipped: Mapped[int] = mapped_column(BigInteger, server_default="0")
    unreadable: Mapped[int] = mapped_column(BigInteger, server_default="0")
    emails_taken: Mapped[int] = mapped_column(BigInteger, server_default="0")
    opt_outs_kept: Mapped[int] = mapped_column(BigInteger, server_default="0")
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    next_try_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    failure: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column(Timestamp)
    finished_at: Mapped[datetime | None] = mapped_column(Timestamp)
    __table_args__ = (
        UniqueConstraint("shop_id", "id", name="uq_customer_imports_shop_id_id"),
        CheckConstraint(
            "status IN ('waiting', 'exporting', 'running', 'completed', 'failed')", name="status"
        ),
        Index(
            "uq_customer_imports_unfinished",
            "shop_id",
            unique=True,
            postgresql_where=text("status IN ('waiting', 'exporting', 'running')"),
        ),
    )

    @property
    def progress(self) -> int:
        """Percent of the file; 100 only when it is done."""
        if self.status == CustomerImportStatus.COMPLETED:
            return 100
        return min(99, self.done_bytes * 100 // self.size_bytes) if self.size_bytes else 0


class ConsentRefusal(Model):
    """A consent that Shopify refused to take from us. It is not told again; a later change of it is."""

    __tablename__ = "consent_refusals"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    contact_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    consent: Mapped[str] = mapped_column(Text)
    consent_at: Mapped[datetime] = mapped_column(Timestamp)
    code: Mapped[str] = mapped_column(Text)
    refused_at: Mapped[datetime] = mapped_column(Timestamp)
    __table_args__ = (
        ForeignKeyConstraint(
            ["shop_id", "contact_id"],
            ["contacts.shop_id", "contacts.id"],
            name="fk_consent_refusals_contact",
            ondelete="CASCADE",
        ),
    )


class ConsentPush(Model):
    """When this shop's Shopify may be told of consent again, after it could not be reached."""

    __tablename__ = "consent_pushes"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    next_try_at: Mapped[datetime] = mapped_column(Timestamp)
