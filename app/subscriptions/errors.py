"""Refusals about subscriptions."""

from __future__ import annotations

from app.core.errors import Forbidden


class SubscriptionRequired(Forbidden):
    code = "SUBSCRIPTION_REQUIRED"
    message = "Sending needs an active subscription."

    def __init__(self) -> None:
        super().__init__(meta={"action": "subscribe"})
