"""The days that a report is about, as the shop's calendar has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from app.core.clock import now
from app.core.errors import ValidationFailed
from app.shops import service as shops

DAYS_USUAL = 30
DAYS_MAX = 366
DAY = timedelta(days=1)
YEARS = range(2000, 2101)  # beyond them calendars and clocks overflow, and nothing was sent


@dataclass(frozen=True)
class Window:
    """The days from `first_on` to `last_on`, both included, in `zone`."""

    first_on: date
    last_on: date
    zone: tzinfo

    @property
    def days(self) -> Sequence[date]:
        return [self.first_on + DAY * number for number in range((self.last_on - self.first_on).days + 1)]

    @property
    def starts(self) -> Sequence[datetime]:
        """When each day begins: a day has 23 to 25 hours."""
        return [self._midnight(day) for day in self.days]

    @property
    def starts_at(self) -> datetime:
        return self._midnight(self.first_on)

    @property
    def ends_at(self) -> datetime:
        """When the day after the last begins."""
        return self._midnight(self.last_on + DAY)

    @property
    def shown(self) -> dict[str, Any]:
        """As every report names it."""
        last_instant = self.ends_at - timedelta(milliseconds=1)
        return {"from": self.starts_at, "to": last_instant, "window": f"{len(self.days)}d"}

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


def window(shop_id: int, first: str | None = None, last: str | None = None) -> Window:
    """The window between two dates or instants as clients write them; either may be missing. A step.

    The last 30 days by default. Raises ValidationFailed, also for more than 366 days.
    """
    zone = shops.zone_of(shops.find_shop(shop_id))
    last_on = _day("to", last, zone) or now().astimezone(zone).date()
    first_on = _day("from", first, zone) or last_on - DAY * (DAYS_USUAL - 1)
    if first_on > last_on:
        raise ValidationFailed("from", "must not be after to")
    if (last_on - first_on).days >= DAYS_MAX:
        raise ValidationFailed("from", f"must be at most {DAYS_MAX} days before to")
    return Window(first_on, last_on, zone)


def last_days(shop_id: int, days: int) -> Window:
    """The last `days` days, today included. A step."""
    zone = shops.zone_of(shops.find_shop(shop_id))
    today = now().astimezone(zone).date()
    return Window(today - DAY * (days - 1), today, zone)


def _day(name: str, written: str | None, zone: tzinfo) -> date | None:
    """The day that a date, or an instant of any zone, falls on in `zone`."""
    if written is None:
        return None
    try:
        # A plus sign that was not escaped in a query arrives as a space.
        moment = datetime.fromisoformat(written.replace(" ", "+") if "T" in written else written)
    except ValueError:
        raise ValidationFailed(name, "must be a date, such as 2026-01-20") from None
    if moment.year not in YEARS:
        raise ValidationFailed(name, f"must lie in the years {YEARS.start} to {YEARS.stop - 1}")
    return moment.astimezone(zone).date() if moment.tzinfo else moment.date()
