"""What a shop's messages did day by day, all in one read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from app.messaging.states import Source
from app.reports import queries
from app.reports.service.windows import Window


def rate(part: int, whole: int) -> float:
    """`part` of `whole` in percent. A report that comes after midnight can make a day's part the larger."""
    return min(100.0, round(part * 100 / whole, 1)) if whole else 0.0


@dataclass(frozen=True)
class Figures:
    """Messages that were accepted, delivered and failed, and the credits they cost."""

    sent: int = 0
    delivered: int = 0
    failed: int = 0
    credits: int = 0

    @property
    def not_reached(self) -> int:
        """`failed`, but never negative: on some days more failures are taken up again than happen."""
        return max(0, self.failed)

    @property
    def delivery_rate(self) -> float:
        return rate(self.delivered, self.sent)

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.sent + other.sent,
            self.delivered + other.delivered,
            self.failed + other.failed,
            self.credits + other.credits,
        )


NOTHING = Figures()


def add(figures: Iterable[Figures]) -> Figures:
    return sum(figures, NOTHING)


@dataclass(frozen=True)
class Day:
    """A day of the shop's calendar and its figures."""

    on: date
    figures: Figures


@dataclass(frozen=True)
class Days:
    """The figures of each day of a window, split by what the messages belong to."""

    window: Window
    found: dict[tuple[date, str], Figures]

    def on(self, day: date, *sources: Source) -> Figures:
        """The day's figures, of all sources unless some are named."""
        return add(self.found.get((day, source), NOTHING) for source in sources or Source)

    def total(self, *sources: Source) -> Figures:
        return add(self.on(day, *sources) for day in self.window.days)

    def each(self, *sources: Source) -> Sequence[Day]:
        """Every day of the window in order, also those on which nothing happened."""
        return [Day(day, self.on(day, *sources)) for day in self.window.days]


def days_of(shop_id: int, window: Window, *, campaign_id: int | None = None) -> Days:
    """The window's days, of the whole shop or of one campaign. A step; one statement."""
    rows = queries.by_day(shop_id, window.starts, window.ends_at, campaign_id=campaign_id)
    days = window.days
    found = {
        (days[row.day_no - 1], row.source): Figures(row.sent, row.delivered, row.failed, row.credits)
        for row in rows
    }
    return Days(window, found)
