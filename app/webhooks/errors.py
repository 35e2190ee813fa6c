"""Refusals about webhooks."""

from __future__ import annotations

from app.core.errors import AuthenticationRequired, DomainError, Forbidden, NotFound


class InvalidWebhookSignature(AuthenticationRequired):
    code = "INVALID_WEBHOOK_SIGNATURE"
    message = "The webhook is neither signed nor does it carry the shared secret."


class InvalidStripeSignature(DomainError):
    code = "INVALID_SIGNATURE"
    message = "Stripe has not signed this body lately."


class NotAStripeEvent(DomainError):
    code = "INVALID_EVENT"
    message = "The body is no event of Stripe."


class UnstorablePayload(DomainError):
    code = "INVALID_JSON"
    message = "The body holds numbers that JSON does not know."


class EventNotFound(NotFound):
    message = "There is no such event in the inbox."


class TriggerNotAllowed(Forbidden):
    message = "In production only an administrator may fire an automation by hand."
