"""Refusals on the storefront and the public pages."""

from __future__ import annotations

from app.core.errors import DomainError, NotFound


class StorefrontNotFound(NotFound):
    message = "There is no such shop here."


class InvalidConfirmation(DomainError):
    """400, not 401: both web clients log a merchant out on 401."""

    code = "INVALID_TOKEN"
    message = "This link is not valid any more. Please sign up again in the shop."
