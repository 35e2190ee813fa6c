"""Refusals about people's data."""

from __future__ import annotations

from app.core.errors import Conflict, NotFound


class RequestNotFound(NotFound):
    message = "There is no such request in this shop."


class NothingToExport(Conflict):
    code = "NOTHING_TO_EXPORT"
    message = (
        "This is no request for data, or it is older than thirty days, or the person has been erased since."
    )
