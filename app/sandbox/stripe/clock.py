"""Calendar arithmetic of billing periods, in UTC."""

import calendar
from datetime import UTC, datetime

DAY = 86_400


def period_end(anchor: int, start: int, interval: str, count: int = 1) -> int:
    """Where the period from `start` ends: on the anchor's day of the month, or the last one there is."""
    if interval in ("day", "week"):
        return start + count * DAY * (7 if interval == "week" else 1)
    months = count * (12 if interval == "year" else 1)
    begun, day = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(anchor, UTC).day
    year, month = divmod(begun.year * 12 + begun.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return int(begun.replace(year=year, month=month + 1, day=min(day, last)).timestamp())
