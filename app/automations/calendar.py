"""When a step comes: minutes and hours are counted on the clock, whole days on the shop's calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = 24 * 60


def later(moment: datetime, minutes: int, zone: ZoneInfo) -> datetime:
    """`minutes` after `moment`. Whole days keep the time of day in `zone`, also when its clocks change.

    A time of day that the change leaves out becomes the one an hour later; of one that comes twice it is the
    first.
    """
    if minutes % DAY:
        return moment + timedelta(minutes=minutes)
    wall = moment.astimezone(zone).replace(tzinfo=None) + timedelta(days=minutes // DAY)
    return wall.replace(tzinfo=zone).astimezone(UTC)


def at_hour(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """The instant of `hour` o'clock on `day` in `zone`."""
    return datetime.combine(day, time(hour), tzinfo=zone).astimezone(UTC)
