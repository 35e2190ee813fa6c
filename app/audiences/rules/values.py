"""Readers: each takes a raw JSON value and its path, and returns the typed value or says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from app.core.errors import ValidationFailed

Reader = Callable[[str, Any], Any]

CALENDAR_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
YEARS = range(1900, 2201)  # far from the ends of what date arithmetic can hold
MAX_CHOICES = 50
MOMENT_WANTED = "must be a date (2026-01-31) or an instant (2026-01-31T10:00:00Z) from 1900 to 2200"


def nothing(path: str, raw: Any) -> None:
    """For operators that take no value."""
    if raw is not None:
        raise ValidationFailed(path, "must be left out: this operator takes no value")


def yes_or_no(path: str, raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise ValidationFailed(path, "must be true or false")
    return raw


def whole_number(low: int, high: int) -> Reader:
    """A reader of whole numbers from `low` to `high`."""

    def read(path: str, raw: Any) -> int:
        if not isinstance(raw, int) or isinstance(raw, bool) or not low <= raw <= high:
            raise ValidationFailed(path, f"must be a whole number from {low} to {high}")
        return raw

    return read


def number_range(low: int, high: int) -> Reader:
    """A reader of [from, to], both included."""
    number = whole_number(low, high)

    def read(path: str, raw: Any) -> tuple[int, int]:
        if not isinstance(raw, list) or len(raw) != 2:
            raise ValidationFailed(path, "must be a list of two whole numbers: from and to")
        first, last = (number(f"{path}[{index}]", one) for index, one in enumerate(raw))
        if first > last:
            raise ValidationFailed(path, "must not begin after it ends")
        return first, last

    return read


def text(longest: int) -> Reader:
    """A reader of non-blank text, stripped."""

    def read(path: str, raw: Any) -> str:
        if not isinstance(raw, str) or not raw.strip() or len(raw) > longest:
            raise ValidationFailed(path, f"must be a text of 1 to {longest} characters")
        return raw.strip()

    return read


def one_of(choices: Sequence[str]) -> Reader:
    """A reader of one word out of `choices`."""

    def read(path: str, raw: Any) -> str:
        if not isinstance(raw, str) or raw not in choices:
            raise ValidationFailed(path, f"must be one of: {', '.join(choices)}")
        return raw

    return read


def region(path: str, raw: Any) -> str:
    """A country by its two letters, as contacts keep it."""
    if not isinstance(raw, str) or not re.fullmatch(r"[A-Za-z]{2}", raw):
        raise ValidationFailed(path, "must be a country code of two letters")
    return raw.upper()


def list_of(reader: Reader) -> Reader:
    """A reader of a list with 1 to 50 values that `reader` accepts."""

    def read(path: str, raw: Any) -> tuple[Any, ...]:
        if not isinstance(raw, list) or not 1 <= len(raw) <= MAX_CHOICES:
            raise ValidationFailed(path, f"must be a list of 1 to {MAX_CHOICES} values")
        return tuple(reader(f"{path}[{index}]", one) for index, one in enumerate(raw))

    return read


def moment(path: str, raw: Any) -> date | datetime:
    """A calendar date (a day of the shop), or an instant with its offset."""
    try:
        read: date | datetime | None = _moment(raw) if isinstance(raw, str) else None
    except ValueError:
        read = None
    if read is None or read.year not in YEARS or (isinstance(read, datetime) and read.utcoffset() is None):
        raise ValidationFailed(path, MOMENT_WANTED)
    return read


def _moment(raw: str) -> date | datetime:
    return date.fromisoformat(raw) if CALENDAR_DATE.fullmatch(raw) else datetime.fromisoformat(raw)
