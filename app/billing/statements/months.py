"""Which months a shop has statements for. A month begins and ends at midnight where the shop is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.clock import now
from app.core.errors import NotFound
from app.shops import service as shops
from app.shops.models import Shop

NAME = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
# Transfers bear the moment at which their transaction began, and the longest of those takes less.
SETTLED_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Month:
    """A calendar month in a time zone."""

    year: int
    number: int
    zone: ZoneInfo

    @property
    def name(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def starts_at(self) -> datetime:
        return datetime(self.year, self.number, 1, tzinfo=self.zone)

    @property
    def ends_at(self) -> datetime:
        return self.next.starts_at

    @property
    def next(self) -> Month:
        year, number = divmod(self.year * 12 + self.number, 12)
        return Month(year, number + 1, self.zone)

    @property
    def is_complete(self) -> bool:
        """Whether nothing more will be counted in it."""
        return now() >= self.ends_at + SETTLED_AFTER


def months_of(shop: Shop) -> list[Month]:
    """From the month in which the shop came until this one, the newest first."""
    zone = shops.zone_of(shop)
    first, last = _month_of(shop.created_at, zone), _month_of(now(), zone)
    found = [first]
    while found[-1].starts_at < last.starts_at:
        found.append(found[-1].next)
    return found[::-1]


def month_named(shop: Shop, name: str) -> Month:
    """One of them. Raises NotFound for any other text."""
    found = next((month for month in months_of(shop) if month.name == name), None)
    if found is None:
        raise NotFound("There is no statement for this month.")
    return found


def _month_of(moment: datetime, zone: ZoneInfo) -> Month:
    there = moment.astimezone(zone)
    return Month(there.year, there.month, zone)
