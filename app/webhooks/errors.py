"""Refusals about webhooks."""

from __future__ import annotations

from app.core.errors import AuthenticationRequired, NotFound


class InvalidWebhookSignature(AuthenticationRequired):
    code = "INVALID_WEBHOOK_SIGNATURE"
    message = "The webhook is neither signed nor does it carry the shared secret."


class EventNotFound(NotFound):
    message = "There is no such event in the inbox."
