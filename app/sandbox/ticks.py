"""Time as the carrier writes it: UTC with seven digits of a second, kept as ticks of 100 ns since 1970."""

import time
from datetime import UTC, datetime

PER_SECOND = 10_000_000


def now_ticks() -> int:
    """This instant."""
    return time.time_ns() // 100


def to_text(ticks: int) -> str:
    """`2025-10-29T16:08:17.7854674Z`."""
    seconds, fraction = divmod(ticks, PER_SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:07d}Z"


def from_text(text: str) -> int:
    """Read an ISO-8601 instant or seconds since 1970. Raises ValueError."""
    try:
        return int(float(text) * PER_SECOND)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * PER_SECOND)
