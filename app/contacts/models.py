"""Contacts, the evidence of their consent, the suppression list, and imports."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model

Timestamp = DateTime(timezone=True)


class Consent(StrEnum):
    OPTED_IN = "opted_in"
    OPTED_OUT = "opted_out"
    UNKNOWN = "unknown"


class Gender(StrEnum):
    MALE = "male"
    FEMALE = "female"
    OTHER = "other"


class ConsentSource(StrEnum):
    """Where a change of consent came from."""

    MANUAL = "manual"
    IMPORT = "import"
    OPT_IN_FORM = "opt_in_form"
    SHOPIFY = "shopify"
    SMS_REPLY = "sms_reply"
    UNSUBSCRIBE_LINK = "unsubscribe_link"


class ConsentAction(StrEnum):
    GRANT = "grant"
    WITHDRAW = "withdraw"
    RESET = "reset"


class ImportStatus(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


# What Shopify does not know yet. It believes the newest word, so what is older than its own is not told, and
# neither is a consent out of a list: it was not given here, and nobody knows when.
CONSENT_TO_TELL = """shopify_customer_id IS NOT NULL AND consent IS DISTINCT FROM shopify_consent
  AND (shopify_consent_at IS NULL OR shopify_consent_at <= consent_at)
  AND (consent = 'opted_out' OR consent = 'opted_in' AND consent_source NOT IN ('shopify', 'import'))"""


class Contact(Model):
    """One phone number of one shop. `consent` projects its consent events: only `consent.py` writes it.

    The septet and UTF-16 counts say what a name costs in a text, as the renderer writes it. `shopify_consent`
    is what Shopify says of this consent, as far as we know; where it differs, Shopify is to be told.
    """

    __tablename__ = "contacts"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    phone: Mapped[str] = mapped_column(Text)
    region: Mapped[str | None] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text)
    first_name: Mapped[str | None] = mapped_column(Text)
    last_name: Mapped[str | None] = mapped_column(Text)
    gender: Mapped[str | None] = mapped_column(Text)
    birth_date: Mapped[date | None] = mapped_column(Date)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    consent: Mapped[str] = mapped_column(Text, server_default="unknown")
    consent_at: Mapped[datetime | None] = mapped_column(Timestamp)
    consent_source: Mapped[str | None] = mapped_column(Text)
    unsubscribed_at: Mapped[datetime | None] = mapped_column(Timestamp)
    orders_count: Mapped[int] = mapped_column(Integer, server_default="0")
    first_order_at: Mapped[datetime | None] = mapped_column(Timestamp)
    last_order_at: Mapped[datetime | None] = mapped_column(Timestamp)
    shopify_customer_id: Mapped[int | None] = mapped_column(BigInteger)
    shopify_updated_at: Mapped[datetime | None] = mapped_column(Timestamp)
    shopify_consent: Mapped[str | None] = mapped_column(Text)
    shopify_consent_at: Mapped[datetime | None] = mapped_column(Timestamp)
    first_name_septets: Mapped[int | None] = mapped_column(
        SmallInteger, Computed("sms_septets(merge_value(first_name))", persisted=True)
    )
    first_name_utf16: Mapped[int | None] = mapped_column(
        SmallInteger, Computed("sms_utf16(merge_value(first_name))", persisted=True)
    )
    last_name_septets: Mapped[int | None] = mapped_column(
        SmallInteger, Computed("sms_septets(merge_value(last_name))", persisted=True)
    )
    last_name_utf16: Mapped[int | None] = mapped_column(
        SmallInteger, Computed("sms_utf16(merge_value(last_name))", persisted=True)
    )
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    __table_args__ = (
        UniqueConstraint("shop_id", "id", name="uq_contacts_shop_id_id"),
        UniqueConstraint("shop_id", "phone", name="uq_contacts_shop_id_phone"),
        CheckConstraint("phone ~ '^[+][1-9][0-9]{1,14}$'", name="phone"),
        CheckConstraint("email <> '' AND length(email) <= 255", name="email"),
        CheckConstraint("first_name <> '' AND length(first_name) <= 100", name="first_name"),
        CheckConstraint("last_name <> '' AND length(last_name) <= 100", name="last_name"),
        CheckConstraint("gender IN ('male', 'female', 'other')", name="gender"),
        CheckConstraint("consent IN ('opted_in', 'opted_out', 'unknown')", name="consent"),
        CheckConstraint("shopify_consent IN ('opted_in', 'opted_out', 'unknown')", name="shopify_consent"),
        Index(
            "uq_contacts_shop_id_shopify_customer_id",
            "shop_id",
            "shopify_customer_id",
            unique=True,
            postgresql_where=text("shopify_customer_id IS NOT NULL"),
        ),
        Index(
            "ix_contacts_consent_to_tell",
            "shop_id",
            "consent_at",
            postgresql_where=text(CONSENT_TO_TELL),
        ),
        Index(
            "uq_contacts_shop_id_email",
            "shop_id",
            "email",
            unique=True,
            postgresql_where=text("email IS NOT NULL"),
        ),
        Index("ix_contacts_shop_id_created_at", "shop_id", text("created_at DESC"), text("id DESC")),
        Index("ix_contacts_opted_in", "shop_id", "id", postgresql_where=text("consent = 'opted_in'")),
        Index(
            "ix_contacts_unsubscribed_at",
            "shop_id",
            "unsubscribed_at",
            postgresql_where=text("unsubscribed_at IS NOT NULL"),
        ),
        Index("ix_contacts_shop_id_updated_at_id", "shop_id", "updated_at", "id"),
        Index("ix_contacts_shop_id_first_name_id", "shop_id", "first_name", "id"),
        Index("ix_contacts_shop_id_last_name_id", "shop_id", "last_name", "id"),
        Index("ix_contacts_shop_id_birth_date_id", "shop_id", "birth_date", "id"),
        Index(
            "ix_contacts_last_order_at",
            "shop_id",
            "last_order_at",
            postgresql_where=text("last_order_at IS NOT NULL"),
        ),
    )

    @property
    def is_subscribed(self) -> bool:
        """Whether the contact has not refused texts; says nothing about consent."""
        return self.consent != Consent.OPTED_OUT

    @property
    def consent_status(self) -> str | None:
        """The consent that was expressed, or None when none was."""
        return None if self.consent == Consent.UNKNOWN else self.consent

    @property
    def has_purchased(self) -> bool:
        return self.orders_count > 0


class ContactWords(Model):
    """What a contact is searched by. Triggers keep it in step; a transaction that sets `app.contact_words`
    sees the matching rows only.
    """

    __tablename__ = "contact_words"
    shop_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    contact_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    words: Mapped[str] = mapped_column(Text)
    __table_args__ = (
        Index(
            "ix_contact_words_words",
            "words",
            postgresql_using="gin",
            postgresql_ops={"words": "gin_trgm_ops"},
            postgresql_with={"gin_pending_list_limit": 1024},
        ),
    )


class ContactCount(Model):
    """How many contacts of a kind a shop has, moved by triggers. Gender '' is none."""

    __tablename__ = "contact_counts"
    shop_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    consent: Mapped[str] = mapped_column(Text, primary_key=True)
    gender: Mapped[str] = mapped_column(Text, primary_key=True)
    has_birth_date: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    has_purchased: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    n: Mapped[int] = mapped_column(Integer)


# How many may be texted, moved by triggers; no gender and no birth date are values like others.
audience_counts = Table(
    "audience_counts",
    Model.metadata,
    Column("shop_id", BigInteger, nullable=False),
    Column("gender", Text),
    Column("birth_date", Date),
    Column("n", Integer, nullable=False),
    UniqueConstraint(
        "shop_id",
        "gender",
        "birth_date",
        name="uq_audience_counts_shop_id_gender_birth_date",
        postgresql_nulls_not_distinct=True,
    ),
)


class ConsentEvent(Model):
    """One change of consent, kept for ever: append-only by trigger. `contact_id` outlives the contact."""

    __tablename__ = "consent_events"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    phone: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    wording: Mapped[str | None] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    __table_args__ = (
        CheckConstraint("action IN ('grant', 'withdraw', 'reset')", name="action"),
        Index("ix_consent_events_shop_id_phone", "shop_id", "phone"),
        Index(
            "ix_consent_events_grants",
            "shop_id",
            "id",
            postgresql_where=text("action = 'grant' AND source <> 'import'"),
        ),
    )


class Suppression(Model):
    """A number that gets no texts from this shop, whether or not it is a contact.

    `confirmed_at` is when that was said again: only a consent after it counts.
    """

    __tablename__ = "suppressions"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    phone: Mapped[str] = mapped_column(Text, primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    confirmed_at: Mapped[datetime | None] = mapped_column(Timestamp)


class ContactImport(Model):
    """One uploaded file and how far its rows have been taken in."""

    __tablename__ = "contact_imports"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    filename: Mapped[str] = mapped_column(Text)
    file_sha256: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="waiting")
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    done_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    done_rows: Mapped[int] = mapped_column(Integer, server_default="0")
    created: Mapped[int] = mapped_column(Integer, server_default="0")
    updated: Mapped[int] = mapped_column(Integer, server_default="0")
    skipped: Mapped[int] = mapped_column(Integer, server_default="0")
    warnings: Mapped[int] = mapped_column(Integer, server_default="0")
    failure: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column(Timestamp)
    finished_at: Mapped[datetime | None] = mapped_column(Timestamp)
    __table_args__ = (
        UniqueConstraint("shop_id", "id", name="uq_contact_imports_shop_id_id"),
        CheckConstraint("status IN ('waiting', 'running', 'completed', 'failed')", name="status"),
        Index(
            "ix_contact_imports_unfinished",
            "id",
            postgresql_where=text("status IN ('waiting', 'running')"),
        ),
    )


class ContactImportChunk(Model):
    """A piece of an uploaded file, so that no process holds all of it."""

    __tablename__ = "contact_import_chunks"
    shop_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    import_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = (
        ForeignKeyConstraint(["shop_id", "import_id"], ["contact_imports.shop_id", "contact_imports.id"]),
    )


class ContactImportError(Model):
    """One field of one row that was not taken as written. `row` counts from 1, the header not included."""

    __tablename__ = "contact_import_errors"
    shop_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    import_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    row: Mapped[int] = mapped_column(Integer, primary_key=True)
    field: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str | None] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    __table_args__ = (
        ForeignKeyConstraint(["shop_id", "import_id"], ["contact_imports.shop_id", "contact_imports.id"]),
    )
