"""Reading the times that clients write."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.clock import now
from app.core.errors import ValidationFailed

FIELD = "scheduleAt"
SLACK = timedelta(seconds=60)  # between the click and our clock
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]"
    r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)


def read_moment(raw: str, zone: ZoneInfo) -> datetime:
    """The instant that `raw` names: ISO 8601, with a zone or else as the clock on the shop's wall reads.

    When clocks go back, the first of the two equal hours is meant; an hour that clocks skip is moved on by
    what they skip (03:30 becomes 04:30). Raises ValidationFailed.
    """
    try:
        if not MOMENT.fullmatch(raw):
            raise ValueError(raw)
        moment = datetime.fromisoformat(raw.upper())
        # fold=0, the default, is what the docstring promises.
        return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValidationFailed(FIELD, "must be a date and time such as 2030-01-31T18:00") from None


def require_future(moment: datetime) -> datetime:
    """`moment`, unless it has passed. Raises ValidationFailed."""
    if moment < now() - SLACK:
        raise ValidationFailed(FIELD, "must be in the future")
    return moment
