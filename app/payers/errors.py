"""Refusals about who pays."""

from __future__ import annotations

from app.core.errors import DomainError, NotFound, ValidationFailed


class MissingCustomer(DomainError):
    """Nothing was ever bought or said, so Stripe does not know the shop."""

    code = "MISSING_CUSTOMER_ID"
    message = (
        "There is nothing at the payment provider yet. Save your billing details or buy something first."
    )


class CustomerNotFound(NotFound):
    """Stripe does not know the shop's customer any more."""

    code = "CUSTOMER_NOT_FOUND"
    message = "The payment provider does not know this customer any more."


class GreekBusinessWithoutNumber(ValidationFailed):
    def __init__(self) -> None:
        super().__init__("vatNumber", "A Greek business needs its VAT number.")
