"""The ways in which a call to Stripe does not succeed. Their texts hold no personal data."""

from __future__ import annotations

from app.core.errors import DomainError


class StripeNotConfigured(DomainError):
    """This deployment has no STRIPE_SECRET_KEY."""

    status = 503
    code = "STRIPE_NOT_CONFIGURED"
    message = "Payments are not set up here."


class StripeFailed(DomainError):
    """No usable answer. The call may have had its effect: repeating it with its key is safe."""

    status = 502
    code = "STRIPE_ERROR"
    message = "The payment provider could not do this. Please try again."

    def __init__(self, reason: str = "unavailable") -> None:
        super().__init__()
        self.reason = reason


class StripeRefused(StripeFailed):
    """Certainly not done, and asking again the same way will not help. `reason` is Stripe's code."""

    def __init__(self, reason: str, param: str | None = None) -> None:
        super().__init__(reason)
        self.param = param


class StripeObjectMissing(StripeRefused):
    """Stripe does not know (any more) what was asked for."""


class CardRefused(StripeRefused):
    """The bank refused, or wants the holder to confirm (`authentication_required`).

    `payment_intent` is Stripe's id of the attempt, where there was one.
    """

    def __init__(self, reason: str, payment_intent: str | None = None) -> None:
        super().__init__(reason)
        self.payment_intent = payment_intent
