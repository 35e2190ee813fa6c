"""Refusals about automations."""

from __future__ import annotations

from app.core.errors import Conflict, NotFound


class AutomationNotFound(NotFound):
    message = "There is no such automation."


class SystemDefault(Conflict):
    code = "SYSTEM_DEFAULT"
    message = "This automation belongs to every shop and cannot be deleted. Pause it instead."
