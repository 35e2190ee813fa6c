"""Refusals about opting out."""

from __future__ import annotations

from app.core.errors import DomainError


class InvalidOptOutLink(DomainError):
    """400, not 401: both web clients log a merchant out on 401."""

    code = "INVALID_TOKEN"
    message = "This unsubscribe link is not valid. Please open it again from your message."
