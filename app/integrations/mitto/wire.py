"""Reading single fields of JSON that somebody else wrote. Nothing here raises, whatever the value is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

ID_MAX = 64  # the carrier's ids are ULIDs (26) and UUIDs (36)
STATUS_MAX = 40
REASON_MAX = 200
TEXT_MAX = 4000
LARGEST_NUMBER = 10**20

JsonObject = Mapping[str, object]


def as_object(value: object) -> JsonObject:
    """`value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def storable(text: str, longest: int) -> str:
    """`text` cut, and without what PostgreSQL refuses: NUL and halves of surrogate pairs."""
    return text[:longest].replace("\0", "").encode("utf-8", "replace").decode()


def short_text(value: object, longest: int) -> str | None:
    """A string or whole number as storable text without outer spaces; None for anything else or nothing."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST_NUMBER:
        value = str(value)
    if not isinstance(value, str):
        return None
    return storable(value.strip(), longest).strip() or None


def first_text(item: JsonObject, names: Iterable[str], longest: int) -> str | None:
    """The first of the members `names` that holds a text."""
    return next((text for name in names if (text := short_text(item.get(name), longest))), None)


def first_id(item: JsonObject, names: Iterable[str]) -> str | None:
    """The first of the members `names` that holds a text, as an id: one that is too long is none, not cut."""
    found = first_text(item, names, ID_MAX + 1)
    return found if found and len(found) <= ID_MAX else None


def instant(value: object) -> datetime | None:
    """An ISO-8601 time as aware UTC (without a zone it counts as UTC); None if it cannot be read.

    The carrier writes seven fractional digits; the seventh is dropped.
    """
    written = short_text(value, STATUS_MAX)
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # overflow: the year 1 or 9999, moved across its edge by a zone
        return None
