"""What strangers leave with us: wishes that wait for a yes, and enquiries."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Text,
    func,
)
from sqlalchemy import (
    text as sql,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model

Timestamp = DateTime(timezone=True)


class OptInConfirmation(Model):
    """A number that somebody has signed up, until its owner says yes by the link in a text.

    At most one waits per shop and number, by constraint. `wording` is what the form said.
    """

    __tablename__ = "opt_in_confirmations"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    phone: Mapped[str] = mapped_column(Text)
    region: Mapped[str | None] = mapped_column(Text)
    first_name: Mapped[str | None] = mapped_column(Text)
    last_name: Mapped[str | None] = mapped_column(Text)
    gender: Mapped[str | None] = mapped_column(Text)
    birth_date: Mapped[date | None] = mapped_column(Date)
    tag: Mapped[str] = mapped_column(Text)
    wording: Mapped[str | None] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(Timestamp)
    confirmed_at: Mapped[datetime | None] = mapped_column(Timestamp)
    __table_args__ = (
        CheckConstraint("phone ~ '^[+][1-9][0-9]{1,14}$'", name="phone"),
        Index(
            "uq_opt_in_confirmations_waiting",
            "shop_id",
            "phone",
            unique=True,
            postgresql_where=sql("confirmed_at IS NULL"),
        ),
        Index("ix_opt_in_confirmations_expires_at", "shop_id", "expires_at"),
    )


class Enquiry(Model):
    """What somebody wrote into our own contact form. `shop_id` is empty: nobody has signed in."""

    __tablename__ = "enquiries"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("shops.id"))
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    __table_args__ = (
        CheckConstraint("length(name) BETWEEN 1 AND 100", name="name"),
        CheckConstraint("length(email) BETWEEN 3 AND 255", name="email"),
        CheckConstraint("length(message) BETWEEN 1 AND 2000", name="message"),
    )
