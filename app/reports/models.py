"""The figures that reports are made of. Triggers on runs and holds keep them; nothing here writes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model


class RunQuarter(Model):
    """What happened to a run's messages within a quarter of an hour (UTC), counted when it happened.

    `sent` were accepted by the carrier, `delivered` reached the phone, `failed` were refused, reported
    undelivered or never sent (less those taken up again), `credits` were spent less refunded. The rows of a
    run add up to its counters.
    """

    __tablename__ = "run_quarters"
    shop_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    quarter_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    source_id: Mapped[int] = mapped_column(BigInteger)
    sent: Mapped[int] = mapped_column(Integer, server_default="0")
    delivered: Mapped[int] = mapped_column(Integer, server_default="0")
    failed: Mapped[int] = mapped_column(Integer, server_default="0")
    credits: Mapped[int] = mapped_column(BigInteger, server_default="0")
    __table_args__ = (
        ForeignKeyConstraint(["shop_id", "run_id"], ["message_runs.shop_id", "message_runs.id"]),
    )
