"""Refusals about templates."""

from __future__ import annotations

from app.core.errors import Conflict, Forbidden, NotFound


class AdminTokenRequired(Forbidden):
    message = "This needs the administrator's token."


class TemplateNotFound(NotFound):
    message = "There is no such template."


class TemplateIsShared(Conflict):
    """A template of the library belongs to everybody."""

    message = "This template is shared by all shops and cannot be changed."


class DuplicateTemplateKey(Conflict):
    code = "DUPLICATE_KEY"
    message = "There is, or was, a shared template of this shop type with this key."

    def __init__(self) -> None:
        super().__init__(field="templateKey")
