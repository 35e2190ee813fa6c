"""Refusals about contacts and the suppression list."""

from __future__ import annotations

from app.core.errors import Conflict, NotFound


class ContactNotFound(NotFound):
    message = "There is no such contact in this shop."


class ListNotFound(NotFound):
    message = "There is no such list in this shop."


class NotSuppressed(NotFound):
    message = "This number is not on the suppression list."


class PhoneTaken(Conflict):
    message = "Another contact of this shop has this phone number."

    def __init__(self) -> None:
        super().__init__(field="phoneE164")


class EmailTaken(Conflict):
    message = "Another contact of this shop has this e-mail address."

    def __init__(self) -> None:
        super().__init__(field="email")
