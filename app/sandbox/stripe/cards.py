"""The test cards and accounts (docs.stripe.com/testing): what their banks say."""

from dataclasses import dataclass, replace

from app.sandbox.stripe.store import Document

MESSAGES = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "Your card was declined."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "authentication_required": (
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
}


@dataclass(frozen=True)
class Card:
    """`refusal`: a decline code. `later`: the one for payments without the customer, from the second on."""

    number: str
    brand: str = "visa"
    country: str = "US"
    refusal: str | None = None
    later: str | None = None
    asks: bool = False  # 3D Secure: the customer has to confirm
    is_delayed: bool = False  # a bank debit: the money comes, or does not, days later

    @property
    def last4(self) -> str:
        """The digits that may be shown."""
        return self.number[-4:]


GOOD = Card("4242424242424242")
CARDS = {
    card.number: card
    for card in (
        GOOD,
        Card("5555555555554444", brand="mastercard"),
        Card("4000003000000030", country="GR"),
        Card("4000000000000002", refusal="generic_decline"),
        Card("4000000000009995", refusal="insufficient_funds"),
        Card("4000000000009987", refusal="lost_card"),
        Card("4000000000000069", refusal="expired_card"),
        Card("4000000000000127", refusal="incorrect_cvc"),
        Card("4000002500003155", asks=True),
        Card("4000002760003184", asks=True, later="authentication_required"),
        Card("4000000000000341", later="generic_decline"),
        Card("DE89370400440532013000", brand="sepa_debit", country="DE", is_delayed=True),
        Card(
            "DE62370400440532013001",
            brand="sepa_debit",
            country="DE",
            is_delayed=True,
            refusal="generic_decline",
        ),
    )
}
# Names that Stripe's own test mode has for saved methods.
SAVED = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequired": "4000002760003184",
}


class NoSuchCard(ValueError):
    """It is none of the test cards."""


def by_number(number: str) -> Card:
    """The test card with this number, spaces or not. Raises NoSuchCard."""
    found = CARDS.get("".join(number.split()).upper())
    if found is None:
        raise NoSuchCard("Use one of the test cards; any future date and any three digits go with it.")
    return found


def declined(code: str) -> Document:
    """`last_payment_error` for this decline code."""
    error, message = MESSAGES.get(code, MESSAGES["generic_decline"])
    return {"type": "card_error", "code": error, "decline_code": code, "message": message}


def without_questions(card: Card) -> Card:
    """The same card once the customer has confirmed."""
    return replace(card, asks=False)
