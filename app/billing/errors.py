"""Refusals about what was billed."""

from __future__ import annotations

from app.core.errors import DomainError


class InvalidFilter(DomainError):
    code = "INVALID_FILTER"
    message = "There is no such status or type to filter by."
