"""The table of seals."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model


class Seal(Model):
    """The transfers of a shop behind `after_transfer_id`, up to and with `last_transfer_id`. Append-only.

    `hash` commits to all other columns but `marks`, `content` to the transfers themselves, `previous` to the
    seal before. `marks` are the first eight bytes of each transfer's own hash: they tell which one differs.
    """

    __tablename__ = "ledger_seals"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    after_transfer_id: Mapped[int | None] = mapped_column(BigInteger)
    last_transfer_id: Mapped[int] = mapped_column(BigInteger)
    transfers: Mapped[int] = mapped_column(Integer)
    earliest_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    latest_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    balances: Mapped[dict[str, int]] = mapped_column(JSONB)
    previous: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    sealed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    hash: Mapped[str] = mapped_column(Text)
    marks: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = (
        UniqueConstraint("shop_id", "last_transfer_id", name="uq_ledger_seals_last"),
        UniqueConstraint("shop_id", "after_transfer_id", name="uq_ledger_seals_after"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("transfers > 0", name="transfers"),
        CheckConstraint("(number = 1) = (after_transfer_id IS NULL)", name="first"),
        CheckConstraint("after_transfer_id < last_transfer_id", name="order"),
        ForeignKeyConstraint(
            ["shop_id", "after_transfer_id"],
            ["ledger_seals.shop_id", "ledger_seals.last_transfer_id"],
            name="fk_ledger_seals_after",
        ),
    )
