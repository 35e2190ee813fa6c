"""Saved payment methods, payment intents, and the charges that they end in."""

import re
from dataclasses import dataclass
from typing import Any

from app.sandbox.stripe import cards
from app.sandbox.stripe.cards import Card
from app.sandbox.stripe.errors import Refusal
from app.sandbox.stripe.ids import new_id
from app.sandbox.stripe.links import page
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document

LEAST = {"eur": 50, "usd": 50, "gbp": 30}  # docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
MOST = 99_999_999


@dataclass(frozen=True)
class Attempt:
    """How a payment is tried. `is_confirmed`: the customer has passed 3D Secure for it."""

    method: Document
    off_session: bool = False
    is_confirmed: bool = False


def require_amount(amount: int, currency: str, param: str = "amount") -> None:
    """Raise Refusal when nobody could be charged so little or so much."""
    if re.fullmatch(r"[a-z]{3}", currency) is None:
        raise Refusal(f"Invalid currency: {currency}.", param="currency")
    if amount < LEAST.get(currency, 50):
        message = f"Amount must be at least {LEAST.get(currency, 50) / 100:.2f} {currency}"
        raise Refusal(message, param=param, code="amount_too_small")
    if amount > MOST:
        raise Refusal(f"Amount must be no more than {MOST}", param=param, code="amount_too_large")


def save_method(world: Stripe, card: Card, *, is_confirmed: bool = False, **billing: Any) -> Document:
    """A payment method of nobody's yet. `is_confirmed`: 3D Secure was passed, later payments need none."""
    kind = "sepa_debit" if card.brand == "sepa_debit" else "card"
    shown = {
        "brand": card.brand,
        "country": card.country,
        "exp_month": 12,
        "exp_year": 2034,
        "funding": "credit",
    }
    details = shown if kind == "card" else {"country": card.country, "bank_code": "37040044"}
    method = {
        "id": new_id("payment_method"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": {"address": None, "email": None, "name": None, "phone": None} | billing,
        "created": world.clock.now(),
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
        kind: details | {"fingerprint": f"fp_{card.last4}", "last4": card.last4},
    }
    return world.store.put(method, kept={"number": card.number, "is_confirmed": is_confirmed})


def attach(world: Stripe, method: Document, customer: str) -> Document:
    """Save it with a customer; `payment_method.attached`."""
    if method["customer"] == customer:
        return method
    after = method | {"customer": customer}
    world.store.put(after)
    world.events.emit("payment_method.attached", after)
    return after


def detach(world: Stripe, method: Document) -> Document:
    """It is nobody's any more, and can never be used again; `payment_method.detached`."""
    after = method | {"customer": None}
    world.store.put(after)
    world.events.emit("payment_method.detached", after, {"customer": method["customer"]})
    return after


def card_of(world: Stripe, method: Document) -> Card:
    """The test card behind a payment method."""
    kept = world.store.kept("payment_method", method["id"])
    card = cards.by_number(kept["number"])
    return cards.without_questions(card) if kept.get("is_confirmed") else card


def intend(world: Stripe, amount: int, currency: str, customer: str | None, **members: Any) -> Document:
    """A payment intent that nobody has tried to pay; `payment_intent.created`."""
    number = new_id("payment_intent")
    intent = {
        "id": number,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{number}_secret_{new_id('event')[4:]}",
        "confirmation_method": "automatic",
        "created": world.clock.now(),
        "currency": currency,
        "customer": customer,
        "description": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "status": "requires_payment_method",
    } | members
    world.store.put(intent)
    world.events.emit("payment_intent.created", intent)
    return intent


def pay(world: Stripe, intent: Document, attempt: Attempt) -> Document:
    """Try to take the money.

    The intent is then `succeeded`, `processing`, `requires_action` (3D Secure), or again
    `requires_payment_method` with `last_payment_error`.
    """
    card = card_of(world, attempt.method)
    intent = intent | {"payment_method": attempt.method["id"], "next_action": None}
    refusal = card.later if attempt.off_session and card.later else card.refusal
    if card.is_delayed:
        return _begin(world, intent, attempt)
    if attempt.off_session and card.asks and refusal is None:
        refusal = "authentication_required"
    if refusal is not None:
        return fail(world, intent, attempt.method, refusal)
    if card.asks and not attempt.is_confirmed:
        return _ask(world, intent)
    return succeed(world, intent, attempt.method)


def succeed(world: Stripe, intent: Document, method: Document) -> Document:
    """The money is there; `charge.succeeded`, `payment_intent.succeeded`."""
    charge = _charge(world, intent, method, "succeeded")
    world.events.emit("charge.succeeded", charge)
    after = intent | {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "latest_charge": charge["id"],
        "payment_method": method["id"],
        "processing": None,
    }
    world.store.put(after)
    world.events.emit("payment_intent.succeeded", after)
    return after


def fail(world: Stripe, intent: Document, method: Document, code: str) -> Document:
    """The bank refused; `charge.failed`, `payment_intent.payment_failed`."""
    failure = cards.declined(code)
    charge = _charge(world, intent, method, "failed", failure)
    world.events.emit("charge.failed", charge)
    after = intent | {
        "status": "requires_payment_method",
        "last_payment_error": failure | {"charge": charge["id"], "payment_method": method},
        "latest_charge": charge["id"],
        "payment_method": None,
        "processing": None,
    }
    world.store.put(after)
    world.events.emit("payment_intent.payment_failed", after)
    return after


def settle(world: Stripe, intent: Document, *, succeeded: bool) -> Document:
    """What became of a bank debit that was under way."""
    method = world.store.known("payment_method", intent["payment_method"])
    if succeeded:
        return succeed(world, intent, method)
    return fail(world, intent, method, "generic_decline")


def cancel(world: Stripe, intent: Document, reason: str | None = None) -> Document:
    """Nobody is to pay it any more; `payment_intent.canceled`. Raises Refusal when it is over."""
    if intent["status"] in ("succeeded", "canceled"):
        message = f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}."
        raise Refusal(message, code="payment_intent_unexpected_state")
    over = {"status": "canceled", "canceled_at": world.clock.now(), "cancellation_reason": reason}
    after = world.store.put(intent | over)
    world.events.emit("payment_intent.canceled", after)
    return after


def _ask(world: Stripe, intent: Document) -> Document:
    to_page = {"redirect_to_url": {"url": page(f"3ds/{intent['id']}"), "return_url": None}}
    after = intent | {"status": "requires_action", "next_action": {"type": "redirect_to_url"} | to_page}
    world.store.put(after)
    world.events.emit("payment_intent.requires_action", after)
    return after


def _begin(world: Stripe, intent: Document, attempt: Attempt) -> Document:
    charge = _charge(world, intent, attempt.method, "pending")
    after = intent | {"status": "processing", "latest_charge": charge["id"]}
    world.store.put(after)
    world.events.emit("charge.pending", charge)
    world.events.emit("payment_intent.processing", after)
    return after


def _charge(
    world: Stripe, intent: Document, method: Document, status: str, failure: Document | None = None
) -> Document:
    pending = world.store.get("charge", intent["latest_charge"])
    is_same = pending is not None and pending["status"] == "pending"
    kind, has_money = method["type"], status == "succeeded"
    number = pending["id"] if pending is not None and is_same else new_id("charge")
    charge = {
        "id": number,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if has_money else 0,
        "amount_refunded": 0,
        "balance_transaction": f"txn_{number[3:]}" if has_money else None,
        "billing_details": method["billing_details"],
        "captured": has_money,
        "created": world.clock.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": failure["code"] if failure else None,
        "failure_message": failure["message"] if failure else None,
        "livemode": False,
        "metadata": intent["metadata"],
        "outcome": {"network_status": "declined_by_network" if failure else "approved_by_network"},
        "paid": status != "failed",
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"type": kind, kind: method[kind]},
        "receipt_email": intent["receipt_email"],
        "receipt_url": page(f"receipt/{number}") if has_money else None,
        "refunded": False,
        "status": status,
    }
    return world.store.put(charge)
