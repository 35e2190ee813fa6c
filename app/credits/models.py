"""The ledger's tables. Nobody outside this feature touches them."""

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
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model


class AccountKind(StrEnum):
    """Where credits can be. The last four are sources: their balance is what has come from them, negative.

    `debt` is what was taken back from a shop that had spent it already.
    """

    WALLET = "wallet"
    ALLOWANCE = "allowance"
    HELD = "held"
    SPENT = "spent"
    LAPSED = "lapsed"
    PURCHASED = "purchased"
    INCLUDED = "included"
    ADJUSTED = "adjusted"
    DEBT = "debt"


class TransferKind(StrEnum):
    """Why credits moved."""

    PURCHASE = "purchase"
    GRANT = "grant"
    ALLOWANCE = "allowance"
    LAPSE = "lapse"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    REFUND = "refund"
    ADJUSTMENT = "adjustment"
    REVERSAL = "reversal"
    REINSTATEMENT = "reinstatement"
    SETTLEMENT = "settlement"


class Account(Model):
    """One of a shop's accounts; `balance` is a projection of its transfers, proven by `flask audit`."""

    __tablename__ = "ledger_accounts"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    kind: Mapped[str] = mapped_column(Text)
    balance: Mapped[int] = mapped_column(BigInteger, server_default="0")
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("shop_id", "kind"),
        CheckConstraint(
            "CASE kind WHEN 'debt' THEN balance <= 0 WHEN 'purchased' THEN true WHEN 'included' THEN true"
            " WHEN 'adjusted' THEN true ELSE balance >= 0 END",
            name="balance",
        ),
    )


class Transfer(Model):
    """Credits that moved from one account to another, once per (shop, key). Append-only, by trigger."""

    __tablename__ = "ledger_transfers"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger)
    from_account_id: Mapped[int] = mapped_column(BigInteger)
    to_account_id: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    run_id: Mapped[int | None] = mapped_column(BigInteger)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(Text)
    from_balance_after: Mapped[int] = mapped_column(BigInteger)
    to_balance_after: Mapped[int] = mapped_column(BigInteger)
    event_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (
        UniqueConstraint("shop_id", "key"),
        ForeignKeyConstraint(
            ["shop_id", "from_account_id"], ["ledger_accounts.shop_id", "ledger_accounts.id"]
        ),
        ForeignKeyConstraint(["shop_id", "to_account_id"], ["ledger_accounts.shop_id", "ledger_accounts.id"]),
        Index("ix_ledger_transfers_shop_id_id", "shop_id", text("id DESC")),
        Index("ix_ledger_transfers_run_id", "run_id", postgresql_where=text("run_id IS NOT NULL")),
        Index(
            "ix_ledger_transfers_purchases",
            "shop_id",
            "created_at",
            postgresql_where=text("kind = 'purchase'"),
        ),
    )


class Hold(Model):
    """What a run has reserved and spent, split by where it came from. The API calls it a reservation."""

    __tablename__ = "credit_holds"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    run_id: Mapped[int] = mapped_column(BigInteger)
    allowance_left: Mapped[int] = mapped_column(BigInteger, server_default="0")
    wallet_left: Mapped[int] = mapped_column(BigInteger, server_default="0")
    allowance_spent: Mapped[int] = mapped_column(BigInteger, server_default="0")
    wallet_spent: Mapped[int] = mapped_column(BigInteger, server_default="0")
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (
        UniqueConstraint("shop_id", "run_id"),
        Index(
            "ix_credit_holds_left", "expires_at", postgresql_where=text("allowance_left + wallet_left > 0")
        ),
    )
