"""The time. Always aware, always UTC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_moved_by = timedelta()


def now() -> datetime:
    """The current instant."""
    return datetime.now(UTC) + _moved_by


@contextmanager
def moved(by: timedelta) -> Iterator[None]:
    """Let this process live `by` later. For tests of what happens in days or months; may be nested.

    The database has its own clock: whatever must be testable over time compares with `now()`.
    """
    global _moved_by
    before = _moved_by
    _moved_by = before + by
    try:
        yield
    finally:
        _moved_by = before
