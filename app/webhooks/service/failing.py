"""What went wrong with an event, told without a word of its payload."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection

# SQLSTATE classes that say nothing about the event: the server is away, full, or going down.
OUTAGES = ("08", "53", "57P")


def is_outage(wrong: Exception) -> bool:
    """Whether an error is the database's own, so that no event can be blamed for it."""
    if isinstance(wrong, NoConnection):
        return True
    if not isinstance(wrong, DBAPIError):
        return False
    state = getattr(wrong.orig, "pgcode", None)
    if wrong.connection_invalidated or (isinstance(wrong, OperationalError) and state is None):
        return True
    return bool(state) and str(state).startswith(OUTAGES)


def name_of(wrong: BaseException) -> str:
    """The error's type only: its text may quote the payload."""
    return type(wrong.orig).__name__ if isinstance(wrong, DBAPIError) else type(wrong).__name__


def place_of(wrong: BaseException) -> str | None:
    """The innermost line of the error: enough to find the bug. None where that line is the driver's."""
    if isinstance(wrong, SQLAlchemyError):
        return None
    trace = wrong.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else "unknown"
