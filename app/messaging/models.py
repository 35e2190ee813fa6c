"""Runs and messages. Only this feature touches these tables."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    FetchedValue,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    Time,
    UniqueConstraint,
    func,
)
from sqlalchemy import (
    text as sql,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model


class Run(Model):
    """One sending of one frozen text, and the counters of its messages.

    `text` has merge tags and a mark for each link; a message's words follow from it, the message's merge
    values and its id.
    """

    __tablename__ = "message_runs"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    source: Mapped[str] = mapped_column(Text)
    source_id: Mapped[int] = mapped_column(BigInteger)
    run_no: Mapped[int] = mapped_column(Integer, server_default="1")
    text: Mapped[str] = mapped_column(Text)
    links: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    sender: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text, server_default="marketing")
    is_open: Mapped[bool] = mapped_column(Boolean, server_default="true")
    pending: Mapped[int] = mapped_column(Integer, server_default="0")
    claimed: Mapped[int] = mapped_column(Integer, server_default="0")
    unknown: Mapped[int] = mapped_column(Integer, server_default="0")
    sent: Mapped[int] = mapped_column(Integer, server_default="0")
    delivered: Mapped[int] = mapped_column(Integer, server_default="0")
    undelivered: Mapped[int] = mapped_column(Integer, server_default="0")
    failed: Mapped[int] = mapped_column(Integer, server_default="0")
    not_sent: Mapped[int] = mapped_column(Integer, server_default="0")
    skipped: Mapped[int] = mapped_column(Integer, server_default="0")
    clicked: Mapped[int] = mapped_column(Integer, server_default="0")
    opted_out: Mapped[int] = mapped_column(Integer, server_default="0")
    # Its messages have larger ids than this one: where reading them begins. None in runs from before 0012.
    after_message_id: Mapped[int | None] = mapped_column(BigInteger, server_default=FetchedValue())
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("shop_id", "source", "source_id", "run_no", name="uq_message_runs_source"),
        Index("ix_message_runs_live", "id", postgresql_where=sql("is_open AND pending > 0")),
    )


class Message(Model):
    """One SMS to one phone. `parts` is frozen at insert: it is what the shop pays for."""

    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger)
    run_id: Mapped[int] = mapped_column(BigInteger)
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    phone: Mapped[str] = mapped_column(Text)
    event_key: Mapped[str] = mapped_column(Text, server_default="")
    first_name: Mapped[str | None] = mapped_column(Text)
    last_name: Mapped[str | None] = mapped_column(Text)
    merge: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    parts: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(Text, server_default="pending")
    attempt_id: Mapped[int | None] = mapped_column(BigInteger)
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    provider_message_id: Mapped[str | None] = mapped_column(Text)
    failure: Mapped[str | None] = mapped_column(Text)
    send_after: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (
        UniqueConstraint("phone", "run_id", "event_key"),
        CheckConstraint("parts > 0", name="parts"),
        Index("ix_messages_shop_id_id", "shop_id", sql("id DESC")),
        Index("ix_messages_pending", "run_id", "id", postgresql_where=sql("state = 'pending'")),
        Index("ix_messages_claimed", "attempt_id", postgresql_where=sql("state = 'claimed'")),
        Index("ix_messages_unknown", "updated_at", postgresql_where=sql("state = 'unknown'")),
        Index(
            "ix_messages_failed",
            "run_id",
            "id",
            postgresql_include=["shop_id", "state"],
            postgresql_where=sql("state IN ('failed', 'undelivered', 'not_sent', 'skipped')"),
        ),
        Index(
            "uq_messages_provider_message_id",
            "provider_message_id",
            unique=True,
            postgresql_where=sql("provider_message_id IS NOT NULL"),
        ),
    )


class SendAttempt(Model):
    """One provider call. Written before it, closed after it; what stays open past the lease has died."""

    __tablename__ = "send_attempts"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger)
    run_id: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(Text, server_default="open")
    outcome: Mapped[str | None] = mapped_column(Text)
    provider_batch_id: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        Index("ix_send_attempts_open", "started_at", postgresql_where=sql("state = 'open'")),
        Index("ix_send_attempts_run_id", "run_id"),
    )


class CallingArea(Model):
    """What a number's first digits (up to four, after the +) say: its place and its possible time zones."""

    __tablename__ = "calling_areas"
    prefix: Mapped[str] = mapped_column(Text, primary_key=True)
    country: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="")
    timezones: Mapped[list[str]] = mapped_column(ARRAY(Text))
    __table_args__ = (CheckConstraint("cardinality(timezones) > 0", name="timezones"),)


class SendingWindow(Model):
    """Hours in which marketing may reach a place on a weekday (Monday is 1), in its own time.

    The newest version counts, whole. `state` "" is the whole country, country `*` all that have no rule.
    """

    __tablename__ = "sending_windows"
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    country: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text, primary_key=True, server_default="")
    weekday: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    opens: Mapped[time] = mapped_column(Time, primary_key=True)
    closes: Mapped[time] = mapped_column(Time)
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        CheckConstraint("opens < closes", name="order"),
    )


class PriceCap(Model):
    """The most credits that one text of a shop may cost in a country; `*` is everywhere, 0 is never."""

    __tablename__ = "price_caps"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    country: Mapped[str] = mapped_column(Text, primary_key=True)
    credits: Mapped[int] = mapped_column(SmallInteger)
    __table_args__ = (
        CheckConstraint("country = '*' OR country ~ '^[A-Z]{2}$'", name="country"),
        CheckConstraint("credits BETWEEN 0 AND 99", name="credits"),
        CheckConstraint("country <> '*' OR credits > 0", name="everybody"),
    )


class ClickEvent(Model):
    """The first click of one link of one message."""

    __tablename__ = "click_events"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    run_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int] = mapped_column(BigInteger)
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    link_no: Mapped[int] = mapped_column(SmallInteger)
    clicked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (
        UniqueConstraint("message_id", "link_no"),
        Index("ix_click_events_shop_id_clicked_at", "shop_id", "clicked_at"),
        Index(
            "ix_click_events_contact",
            "shop_id",
            "contact_id",
            "clicked_at",
            postgresql_where=sql("contact_id IS NOT NULL"),
        ),
    )


class InboundMessage(Model):
    """A text that a person sent to us. `shop_id` is empty when no shop has texted that number."""

    __tablename__ = "inbound_messages"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("shops.id"))
    inbox_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    phone: Mapped[str] = mapped_column(Text)
    sent_to: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    intent: Mapped[str] = mapped_column(Text)
    needs_review: Mapped[bool] = mapped_column(Boolean, server_default="false")
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (Index("ix_inbound_messages_shop_id_id", "shop_id", sql("id DESC")),)
