"""Periodic work, once per period however often the scheduler rings."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import DateTime, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import now
from app.core.database import Model
from app.core.uow import across_shops


class Tick(Model):
    """A period of a task that somebody has begun. Belongs to no shop."""

    __tablename__ = "ticks"
    task: Mapped[str] = mapped_column(Text, primary_key=True)
    period_start: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


# A tick whose worker died is taken again after a quarter of an hour.
CLAIM_TICK = text("""
    INSERT INTO ticks AS t (task, period_start) VALUES (:task, :period_start)
    ON CONFLICT (task, period_start) DO UPDATE SET started_at = now()
    WHERE t.finished_at IS NULL AND t.started_at < now() - interval '15 minutes'
    RETURNING 1""")
FINISH_TICK = text("UPDATE ticks SET finished_at = now() WHERE task = :task AND period_start = :period_start")
PURGE_TICKS = text("DELETE FROM ticks WHERE task = :task AND period_start < now() - interval '7 days'")


def period_start(every_seconds: int) -> datetime:
    """The start of the period that now lies in."""
    moment = now().timestamp()
    return datetime.fromtimestamp(moment - moment % every_seconds, UTC)


def claim_tick(task: str, every_seconds: int) -> datetime | None:
    """The period's start if this caller is the first of the period, else None. Keyed by (task, period)."""
    start = period_start(every_seconds)
    with across_shops("ticks belong to no shop") as session:
        first = session.scalar(CLAIM_TICK, {"task": task, "period_start": start})
    return start if first else None


def finish_tick(task: str, start: datetime) -> None:
    """Record that the period's work is done, and forget old periods."""
    with across_shops("ticks belong to no shop") as session:
        session.execute(FINISH_TICK, {"task": task, "period_start": start})
        session.execute(PURGE_TICKS, {"task": task})
