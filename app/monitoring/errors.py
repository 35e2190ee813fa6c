"""Refusals about monitoring."""

from __future__ import annotations

from app.core.errors import Forbidden


class NotAnOperator(Forbidden):
    message = "This needs the administrator's token, or an address that is allowed to read metrics."
