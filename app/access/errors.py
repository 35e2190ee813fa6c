"""Refusals about API keys."""

from __future__ import annotations

from app.core.errors import Conflict, Forbidden, NotFound


class ApiKeyNotFound(NotFound):
    message = "There is no such API key in this shop."


class TooManyApiKeys(Conflict):
    code = "TOO_MANY_API_KEYS"
    message = "The shop has as many API keys as it may have. Revoke one first."


class ScopeMissing(Forbidden):
    """The key may not do this; `meta` names the scope that it would need."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"This API key lacks the scope {scope}.", meta={"scope": scope})


class NotForApiKeys(Forbidden):
    message = "This cannot be done with an API key. Please sign in."
