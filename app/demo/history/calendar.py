"""Moments of the past, as the clock on the shop's wall read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Calendar:
    """`now` is the moment to which the history leads up."""

    now: datetime
    zone: ZoneInfo

    def at(self, days_ago: int, hour: int, minute: int) -> datetime:
        """The instant at which it was `hour:minute` so many days ago (negative: days ahead)."""
        day = self.now.astimezone(self.zone).date() - timedelta(days=days_ago)
        return datetime.combine(day, time(hour, minute), self.zone).astimezone(UTC)
