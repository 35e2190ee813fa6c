"""Days are the shop's days, also when its clocks change."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from app.automations.calendar import at_hour, later

ATHENS, NEW_YORK = ZoneInfo("Europe/Athens"), ZoneInfo("America/New_York")
DAY = 1440


@pytest.mark.parametrize(
    ("moment", "minutes", "zone", "answer"),
    [
        ("2026-03-28T10:00+02:00", DAY, ATHENS, "2026-03-29T10:00+03:00"),  # a day of 23 hours
        ("2026-10-24T10:00+03:00", DAY, ATHENS, "2026-10-25T10:00+02:00"),  # a day of 25 hours
        ("2026-03-28T03:30+02:00", DAY, ATHENS, "2026-03-29T04:30+03:00"),  # there is no half past three
        ("2026-10-24T03:30+03:00", DAY, ATHENS, "2026-10-25T03:30+03:00"),  # there are two: the first
        ("2026-03-07T09:00-05:00", 6 * DAY, NEW_YORK, "2026-03-13T09:00-04:00"),
        ("2026-03-29T02:30+02:00", 60, ATHENS, "2026-03-29T04:30+03:00"),  # an hour is an hour
        ("2026-10-25T03:30+03:00", 60, ATHENS, "2026-10-25T03:30+02:00"),
        ("2026-06-01T10:00+03:00", 0, ATHENS, "2026-06-01T10:00+03:00"),
    ],
)
def test_whole_days_keep_the_time_of_day_and_minutes_do_not(
    moment: str, minutes: int, zone: ZoneInfo, answer: str
) -> None:
    assert later(datetime.fromisoformat(moment), minutes, zone) == datetime.fromisoformat(answer)


def test_an_hour_of_a_day_is_the_zones_own() -> None:
    morning = datetime.fromisoformat("2026-03-29T10:00+03:00")
    assert at_hour(date(2026, 3, 29), 10, ATHENS) == morning
