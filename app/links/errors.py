"""Refusals about links."""

from __future__ import annotations

from app.core.errors import DomainError, NotFound


class LinkMalformed(DomainError):
    code = "INVALID_TOKEN"
    message = "This is not one of our links."


class LinkNotAvailable(NotFound):
    code = "LINK_NOT_AVAILABLE"
    message = "This link is not available any more."
