"""Automations, their steps, who is in them, and what became of each step."""

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


class Trigger(StrEnum):
    WELCOME = "welcome"
    ABANDONED_CART = "abandoned_cart"
    ORDER_CONFIRMATION = "order_confirmation"
    SHIPPING_UPDATE = "shipping_update"
    DELIVERY_CONFIRMATION = "delivery_confirmation"
    REVIEW_REQUEST = "review_request"
    REORDER_REMINDER = "reorder_reminder"
    BIRTHDAY = "birthday"
    CUSTOMER_INACTIVE = "customer_inactive"
    CART_ABANDONED = "cart_abandoned"
    ORDER_PLACED = "order_placed"
    ORDER_FULFILLED = "order_fulfilled"
    CROSS_SELL = "cross_sell"
    UPSELL = "upsell"


class AutomationStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"


class EntryStatus(StrEnum):
    WAITING = "waiting"
    FINISHED = "finished"
    LEFT = "left"


class AttemptOutcome(StrEnum):
    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"


class Automation(Model):
    """A row of texts that an event starts for one contact. `default_key` marks those every shop has."""

    __tablename__ = "automations"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    default_key: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    trigger: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="draft")
    conditions: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    activated_at: Mapped[datetime | None] = mapped_column(Timestamp)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    __table_args__ = (
        UniqueConstraint("shop_id", "id", name="uq_automations_shop_id_id"),
        CheckConstraint("name <> '' AND length(name) <= 255", name="name"),
        Index(
            "uq_automations_default",
            "shop_id",
            "default_key",
            unique=True,
            postgresql_where=text("default_key IS NOT NULL"),
        ),
        Index("ix_automations_active", "trigger", "shop_id", postgresql_where=text("status = 'active'")),
    )


class Step(Model):
    """One text of an automation, `delay_minutes` after the step before it (step 1: after the event)."""

    __tablename__ = "automation_steps"
    shop_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    automation_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    step_no: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    delay_minutes: Mapped[int] = mapped_column(Integer)
    message: Mapped[str] = mapped_column(Text)
    __table_args__ = (
        CheckConstraint("step_no BETWEEN 1 AND 10", name="no"),
        CheckConstraint("delay_minutes BETWEEN 0 AND 525600", name="delay"),
        CheckConstraint("length(message) BETWEEN 10 AND 1600", name="message"),
        ForeignKeyConstraint(
            ["shop_id", "automation_id"],
            ["automations.shop_id", "automations.id"],
            name="fk_automation_steps_automation",
            ondelete="CASCADE",
        ),
    )


class Entry(Model):
    """A contact in an automation because of one event. While it waits, `next_step` comes at `due_at`.

    `facts` holds what the event said that a text may need: no name, those are the contact's own.
    """

    __tablename__ = "automation_entries"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger)
    automation_id: Mapped[int] = mapped_column(BigInteger)
    contact_id: Mapped[int] = mapped_column(BigInteger)
    event_key: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    status: Mapped[str] = mapped_column(Text, server_default="waiting")
    outcome: Mapped[str | None] = mapped_column(Text)
    next_step: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    due_at: Mapped[datetime] = mapped_column(Timestamp)
    entered_at: Mapped[datetime] = mapped_column(Timestamp)
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    __table_args__ = (
        UniqueConstraint(
            "shop_id", "automation_id", "contact_id", "event_key", name="uq_automation_entries_event"
        ),
        ForeignKeyConstraint(
            ["shop_id", "automation_id"],
            ["automations.shop_id", "automations.id"],
            name="fk_automation_entries_automation",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["shop_id", "contact_id"],
            ["contacts.shop_id", "contacts.id"],
            name="fk_automation_entries_contact",
            ondelete="CASCADE",
        ),
        Index("ix_automation_entries_due", "due_at", postgresql_where=text("status = 'waiting'")),
        Index(
            "ix_automation_entries_waiting",
            "shop_id",
            "automation_id",
            "due_at",
            postgresql_where=text("status = 'waiting'"),
        ),
        Index("ix_automation_entries_contact", "shop_id", "contact_id"),
    )


class Attempt(Model):
    """What became of one step of one entry, once. `reason` says why it was not sent.

    Outlives its automation and its contact. `message_id` is the message that it became.
    """

    __tablename__ = "automation_attempts"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    automation_id: Mapped[int] = mapped_column(BigInteger)
    trigger: Mapped[str] = mapped_column(Text)
    entry_id: Mapped[int] = mapped_column(BigInteger)
    step_no: Mapped[int] = mapped_column(SmallInteger)
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(Timestamp)
    __table_args__ = (
        UniqueConstraint("entry_id", "step_no", name="uq_automation_attempts_step"),
        Index("ix_automation_attempts_shop_at", "shop_id", "at"),
        Index("ix_automation_attempts_automation", "shop_id", "automation_id", "id"),
    )


class Cursor(Model):
    """Up to which consent event a shop's new subscribers have been welcomed."""

    __tablename__ = "automation_cursors"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    consent_event_id: Mapped[int] = mapped_column(BigInteger, server_default="0")
