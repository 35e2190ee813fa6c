"""Refusals about purchases."""

from __future__ import annotations

from app.core.errors import Conflict, DomainError, NotFound


class PurchaseNeedsSubscription(DomainError):
    """402 with the code that both clients know: packages are for subscribers."""

    status = 402
    code = "SUBSCRIPTION_REQUIRED"
    message = "Buying a package needs an active subscription."


class PackageNotFound(NotFound):
    message = "There is no such package."


class UrlNotAllowed(DomainError):
    """A return URL that is not absolute, or not on one of our web clients' origins."""

    code = "INVALID_URL"

    def __init__(self, field: str) -> None:
        super().__init__("must be an absolute URL of the web client", field=field)


class AmountTooSmall(DomainError):
    """Stripe takes no payment below half a unit."""

    code = "AMOUNT_TOO_SMALL"
    message = "This is too little to be charged. Please buy more credits at once."


class PurchaseTooOld(Conflict):
    """The first request with its key is longer ago than Stripe remembers it."""

    message = "This purchase was begun too long ago. Please start a new one."


class AlertNotFound(NotFound):
    message = "There is no such alert."


class PurchaseMoved(Conflict):
    """Stripe's answer was overtaken again and again. Asking again is safe."""

    message = "This purchase is being worked on. Please try again."
