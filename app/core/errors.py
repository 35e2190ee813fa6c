"""Refusals: typed, expected, shown to the caller. Everything else is a bug and is logged once at the edge."""

from __future__ import annotations

from typing import Any


class DomainError(Exception):
    """A refusal with a stable `code` for machines and a sentence for people.

    `field` names the input at fault (it becomes `details[0]`), `meta` carries facts for the client.
    401 is reserved for authentication: both web clients log the user out on it.
    """

    status = 400
    code = "BAD_REQUEST"
    message = "The request cannot be carried out."

    def __init__(
        self, message: str | None = None, *, field: str | None = None, meta: dict[str, Any] | None = None
    ) -> None:
        self.message = message or self.message
        self.details = [{"field": field, "message": self.message}] if field else []
        self.meta = meta or {}
        super().__init__(self.message)


class ValidationFailed(DomainError):
    """One input is not acceptable; `field` names it as the client wrote it."""

    code = "VALIDATION_ERROR"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


class NotFound(DomainError):
    """Absent, or another shop's: the two look the same from outside."""

    status = 404
    code = "NOT_FOUND"
    message = "There is no such object in this shop."


class Conflict(DomainError):
    status = 409
    code = "CONFLICT"
    message = "The object is not in a state that allows this."


class AuthenticationRequired(DomainError):
    status = 401
    code = "AUTHENTICATION_REQUIRED"
    message = "Please sign in."


class InvalidToken(DomainError):
    status = 401
    code = "INVALID_TOKEN"
    message = "The credential is not valid."


class TokenExpired(InvalidToken):
    code = "TOKEN_EXPIRED"
    message = "The session has expired. Please sign in again."


class Forbidden(DomainError):
    status = 403
    code = "FORBIDDEN"
    message = "This is not allowed."
