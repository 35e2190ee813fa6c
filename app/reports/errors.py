"""Refusals about reports and single messages."""

from __future__ import annotations

from app.core.errors import DomainError, NotFound


class MessageNotFound(NotFound):
    message = "There is no such message in this shop."


class ProviderMessageNotFound(MessageNotFound):
    code = "MESSAGE_NOT_FOUND"


class CarrierUnavailable(DomainError):
    """The carrier gave no usable answer; nothing has changed."""

    status = 502
    code = "EXTERNAL_SERVICE_ERROR"
    message = "The SMS provider does not answer now. Please try again later."
