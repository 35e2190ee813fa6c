"""Which codes were given to whom."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Text, func
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
