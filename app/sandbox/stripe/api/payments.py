"""`/v1/payment_intents`, `/v1/payment_methods` and `/v1/charges`."""

from app.sandbox.stripe import payments
from app.sandbox.stripe.api.door import Call, door
from app.sandbox.stripe.api.listing import PAGE, listed
from app.sandbox.stripe.cards import SAVED, by_number
from app.sandbox.stripe.errors import CardRefused, Missing, MissingParameter, Refusal
from app.sandbox.stripe.parameters import (
    anything,
    boolean,
    integer,
    many,
    members,
    merged,
    metadata,
    text,
    word,
)
from app.sandbox.stripe.payments import Attempt
from app.sandbox.stripe.store import Document

CONFIRM = {
    "off_session": boolean,
    "payment_method": text(),
    "return_url": text(),
    "error_on_requires_action": boolean,
}
WISH = {
    "amount": integer(1, payments.MOST),
    "automatic_payment_methods": members(enabled=boolean, allow_redirects=word("always", "never")),
    "allowed_payment_method_types": many(text()),
    "capture_method": word("automatic", "automatic_async"),
    "currency": text(3),
    "customer": text(),
    "description": text(1000),
    "metadata": metadata,
    "payment_method_options": anything,
    "receipt_email": text(),
    "setup_future_usage": word("off_session", "on_session"),
    "statement_descriptor": text(22),
    "statement_descriptor_suffix": text(22),
}
KEPT = ("description", "receipt_email", "setup_future_usage", "statement_descriptor")


@door("POST", "/payment_intents", "amount", "currency", confirm=boolean, **WISH, **CONFIRM)
def create(call: Call) -> Document:
    """A new intent; with `confirm` it is paid at once by a saved payment method."""
    wish = call.wish
    currency = wish["currency"].lower()
    payments.require_amount(wish["amount"], currency)
    if wish.get("customer"):
        call.named("customer", "customer")
    if wish.get("off_session") is not None and not wish.get("confirm"):
        raise Refusal("`off_session` can only be used with `confirm`.", param="off_session")
    method = _method(call, wish.get("customer")) if wish.get("payment_method") else None
    members = {name: wish[name] for name in KEPT if wish.get(name)} | {
        "metadata": merged({}, wish.get("metadata"))
    }
    if method is not None:
        members |= {"payment_method": method["id"], "status": "requires_confirmation"}
    intent = payments.intend(call.world, wish["amount"], currency, wish.get("customer"), **members)
    return _confirmed(call, intent, method) if wish.get("confirm") else intent


@door("POST", "/payment_intents/<number>/confirm", **CONFIRM)
def confirm(call: Call) -> Document:
    """Try to pay it."""
    intent = call.found("payment_intent")
    if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
        message = f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}."
        raise Refusal(message, code="payment_intent_unexpected_state")
    call.wish.setdefault("payment_method", intent["payment_method"])
    method = _method(call, intent["customer"]) if call.wish["payment_method"] else None
    return _confirmed(call, intent, method)


@door("GET", "/payment_intents/<number>")
def show(call: Call) -> Document:
    """One intent."""
    return call.found("payment_intent")


@door("POST", "/payment_intents/<number>", metadata=metadata, description=text(1000))
def update(call: Call) -> Document:
    """Change its metadata or description."""
    intent = call.found("payment_intent")
    after = intent | {"metadata": merged(intent["metadata"], call.wish.get("metadata"))}
    after["description"] = call.wish.get("description", intent["description"])
    return call.world.store.put(after)


@door("POST", "/payment_intents/<number>/cancel", cancellation_reason=text())
def cancel(call: Call) -> Document:
    """Nobody is to pay it any more."""
    return payments.cancel(call.world, call.found("payment_intent"), call.wish.get("cancellation_reason"))


@door("GET", "/payment_intents", customer=text(), **PAGE)
def intents(call: Call) -> Document:
    """Intents, newest first."""
    return listed(call, "payment_intent", "/payment_intents")


@door("GET", "/payment_methods/<number>")
def payment_method(call: Call) -> Document:
    """One payment method."""
    return call.found("payment_method")


@door("GET", "/payment_methods", customer=text(), type=text(), **PAGE)
def payment_methods(call: Call) -> Document:
    """Those of a customer, newest first."""
    return listed(call, "payment_method", "/payment_methods")


@door("POST", "/payment_methods/<number>/attach", "customer", customer=text())
def attach(call: Call) -> Document:
    """Save it with a customer; test names such as `pm_card_visa` make a new one."""
    customer = call.named("customer", "customer")["id"]
    return payments.attach(call.world, _known_method(call, call.number, "payment_method"), customer)


@door("POST", "/payment_methods/<number>/detach")
def detach(call: Call) -> Document:
    """It is nobody's any more."""
    return payments.detach(call.world, call.found("payment_method"))


@door("GET", "/charges/<number>")
def charge(call: Call) -> Document:
    """One charge."""
    return call.found("charge")


@door("GET", "/charges", customer=text(), payment_intent=text(), **PAGE)
def charges(call: Call) -> Document:
    """Charges, newest first."""
    return listed(call, "charge", "/charges")


def _confirmed(call: Call, intent: Document, method: Document | None) -> Document:
    if method is None:
        raise MissingParameter("payment_method")
    is_off = bool(call.wish.get("off_session"))
    after = payments.pay(call.world, intent, Attempt(method, off_session=is_off))
    if after["status"] == "requires_payment_method":
        raise CardRefused(after["last_payment_error"], after)
    if after["status"] == "requires_action" and call.wish.get("error_on_requires_action"):
        failed = payments.fail(call.world, after, method, "authentication_required")
        raise CardRefused(failed["last_payment_error"], failed)
    if after["status"] == "succeeded" and after["customer"] and after["setup_future_usage"]:
        payments.attach(call.world, method, after["customer"])
    return after


def _method(call: Call, customer: str | None) -> Document:
    """The payment method that is named; a saved one pays for its own customer only."""
    method = _known_method(call, call.wish["payment_method"], "payment_method")
    if method["customer"] not in (None, customer):
        raise Refusal(
            f"The provided PaymentMethod is attached to another customer than {customer}.",
            param="payment_method",
        )
    return method


def _known_method(call: Call, number: str, param: str) -> Document:
    if number in SAVED:
        return payments.save_method(call.world, by_number(SAVED[number]))
    found = call.world.store.get("payment_method", number)
    if found is None:
        raise Missing("PaymentMethod", number, param)
    return found
