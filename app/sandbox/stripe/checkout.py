"""What a customer does on the Checkout page, and what becomes of it."""

from dataclasses import dataclass, field
from enum import StrEnum

from app.sandbox.stripe import customers, one_off, payments, sessions, subscriptions, tax
from app.sandbox.stripe.cards import CARDS, Card, by_number
from app.sandbox.stripe.payments import Attempt
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document

KIND = "checkout.session"


class SessionOver(Exception):
    """The session is complete or expired, or there never was one."""


class End(StrEnum):
    """How an attempt to pay ended."""

    PAID = "paid"
    PROCESSING = "processing"  # a bank debit: `async_result` tells the end
    REQUIRES_ACTION = "requires_action"  # 3D Secure: call `complete` again with is_confirmed=True
    DECLINED = "declined"  # the session stays open for another card


@dataclass(frozen=True)
class Outcome:
    """`next_url`: where the browser goes now, None while it stays. `message`: why it was declined."""

    end: End
    session: Document
    next_url: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Payer:
    """What was typed on the page. Empty texts were left empty."""

    email: str = ""
    name: str = ""
    address: Document = field(default_factory=dict)  # country, line1, line2, city, state, postal_code
    vat_number: str = ""


NO_WORDS = Payer()


def complete(
    world: Stripe, session_id: str, card: Card | str, payer: Payer = NO_WORDS, *, is_confirmed: bool = False
) -> Outcome:
    """Press Pay. Raises SessionOver, NoSuchCard, and Refusal for a VAT number of a bad form."""
    with world.store.changing():
        session = _open(world, session_id)
        if session["expires_at"] < world.clock.now():  # nobody has let time pass, but it has
            raise SessionOver(f"{session_id} is expired.")
        card = by_number(card) if isinstance(card, str) else card
        customer = _customer(world, session, payer)
        session = _told(world, session, customer, payer)
        name, email = payer.name or None, session["customer_details"]["email"]
        address = session["customer_details"]["address"]
        method = payments.save_method(
            world, card, is_confirmed=is_confirmed, name=name, email=email, address=address
        )
        attempt = Attempt(method, is_confirmed=is_confirmed)
        if session["mode"] == "subscription":
            return _subscribe(world, session, card, attempt)
        return _pay_once(world, session, attempt)


def fail(world: Stripe, session_id: str, payer: Payer = NO_WORDS) -> Outcome:
    """Press Pay with a card that is declined."""
    return complete(world, session_id, CARDS["4000000000000002"], payer)


def cancel(world: Stripe, session_id: str) -> str | None:
    """Go back to the shop: where to. The session stays open."""
    found: str | None = _open(world, session_id)["cancel_url"]
    return found


def expire(world: Stripe, session_id: str) -> Document:
    """It cannot be paid any more; `checkout.session.expired`. Raises SessionOver."""
    with world.store.changing():
        session = _open(world, session_id)
        after = session | {"status": "expired", "url": None}
        world.store.put(after)
        intent = world.store.get("payment_intent", _kept_intent(world, session))
        if intent is not None and intent["status"] not in ("succeeded", "canceled"):
            payments.cancel(world, intent, "automatic")
        world.events.emit("checkout.session.expired", after)
        return after


def async_result(world: Stripe, session_id: str, succeeded: bool) -> Document:
    """What became of a bank debit. Raises SessionOver when none is under way."""
    with world.store.changing():
        session = world.store.get(KIND, session_id)
        if session is None or session["status"] != "complete" or session["payment_status"] != "unpaid":
            raise SessionOver(f"No payment of {session_id} is under way.")
        intent = world.store.known("payment_intent", _kept_intent(world, session))
        if intent["status"] != "processing":
            raise SessionOver(f"No payment of {session_id} is under way.")
        intent = payments.settle(world, intent, succeeded=succeeded)
        if session["mode"] == "subscription":
            subscriptions.first_payment_ended(world, session["subscription"], intent)
        if succeeded:
            session = session | {"payment_status": "paid"}
            world.store.put(session)
        end = "succeeded" if succeeded else "failed"
        world.events.emit(f"checkout.session.async_payment_{end}", session)
        return session


def success_url(session: Document) -> str | None:
    """With the session's id in place of `{CHECKOUT_SESSION_ID}`."""
    url: str | None = session["success_url"]
    return url and url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def _open(world: Stripe, session_id: str) -> Document:
    session = world.store.get(KIND, session_id)
    if session is None or session["status"] != "open":
        raise SessionOver(f"{session_id} is {session['status'] if session else 'unknown'}.")
    return session


def _customer(world: Stripe, session: Document, payer: Payer) -> Document | None:
    """The customer, made now if the session asks for one, and with the words that the page may change."""
    kept = world.store.kept(KIND, session["id"])
    known = world.store.get("customer", session["customer"] or kept.get("customer"))
    if known is None:
        if session["mode"] == "payment" and session["customer_creation"] != "always":
            return None
        words = {"email": payer.email or session["customer_email"], "name": payer.name}
        known = customers.create(world, words | {"address": payer.address or None})
        world.store.put(session, kept=kept | {"customer": known["id"]})
    else:
        update = kept["customer_update"]
        words = {"address": payer.address} if update.get("address") == "auto" and payer.address else {}
        words |= {"name": payer.name} if update.get("name") == "auto" and payer.name else {}
        known = customers.update(world, known, words)
    if payer.vat_number and session["tax_id_collection"]["enabled"]:
        numbers = [one["value"] for one in world.store.find("tax_id", customer=known["id"])]
        if payer.vat_number.replace(" ", "").upper() not in numbers:
            customers.add_tax_id(world, known, "eu_vat", payer.vat_number)
    return known


def _told(world: Stripe, session: Document, customer: Document | None, payer: Payer) -> Document:
    """The session with what is known of the customer now, priced with the tax of their country."""
    known = customer or {}
    address = known.get("address") or (customers.address(payer.address) if payer.address else None)
    numbers = world.store.find("tax_id", customer=known["id"]) if known else []
    details = {
        "address": address,
        "email": payer.email or known.get("email") or session["customer_email"],
        "name": payer.name or known.get("name"),
        "phone": None,
        "tax_exempt": known.get("tax_exempt", "none"),
        "tax_ids": [{"type": one["type"], "value": one["value"]} for one in numbers],
    }
    session = session | {"customer_details": details, "customer": known.get("id")}
    if session["automatic_tax"]["enabled"]:
        percent, reason = tax.rate(world, (address or {}).get("country"), known.get("id"))
        session = sessions.priced(world, session, percent, reason)
    return session


def _pay_once(world: Stripe, session: Document, attempt: Attempt) -> Outcome:
    intent = _intent(world, session)
    intent = payments.pay(world, intent, attempt)
    session = session | {"payment_intent": intent["id"]}
    if intent["status"] in ("succeeded", "processing"):
        if session["customer"] and intent["setup_future_usage"]:
            payments.attach(world, attempt.method, session["customer"])
        if world.store.kept(KIND, session["id"])["invoice_creation"] and intent["status"] == "succeeded":
            session = session | {"invoice": one_off.invoice(world, session, intent)["id"]}
    return _ended(world, session, intent)


def _subscribe(world: Stripe, session: Document, card: Card, attempt: Attempt) -> Outcome:
    if card.refusal is not None and not card.is_delayed:
        return _ended(
            world, session, payments.fail(world, _intent(world, session), attempt.method, card.refusal)
        )
    if card.asks and not attempt.is_confirmed:
        return Outcome(End.REQUIRES_ACTION, world.store.put(session))
    kept = world.store.kept(KIND, session["id"])
    former = world.store.get("payment_intent", kept.get("payment_intent"))
    if former is not None:
        payments.cancel(world, former, "automatic")
    payments.attach(world, attempt.method, session["customer"])
    started, intent = subscriptions.start(world, session, kept, attempt)
    session = session | {"subscription": started["id"], "invoice": started["latest_invoice"]}
    if intent is not None:
        world.store.put(session, kept=kept | {"payment_intent": intent["id"]})
    return _ended(world, session, intent)


def _ended(world: Stripe, session: Document, intent: Document | None) -> Outcome:
    status = intent["status"] if intent else "succeeded"
    if status == "requires_action":
        return Outcome(End.REQUIRES_ACTION, world.store.put(session))
    if status == "requires_payment_method":
        message = intent["last_payment_error"]["message"] if intent else None
        return Outcome(End.DECLINED, world.store.put(session), message=message)
    paid = {"succeeded": "paid", "processing": "unpaid"}[status]
    if intent is None:
        paid = "no_payment_required"
    session = session | {"status": "complete", "payment_status": paid, "url": None}
    world.store.put(session)
    world.events.emit("checkout.session.completed", session)
    end = End.PROCESSING if status == "processing" else End.PAID
    return Outcome(end, session, next_url=success_url(session))


def _intent(world: Stripe, session: Document) -> Document:
    """The session's one payment intent, however many cards are tried."""
    kept = world.store.kept(KIND, session["id"])
    amount = session["amount_total"]
    known = world.store.get("payment_intent", kept.get("payment_intent"))
    if known is not None:
        return world.store.put(known | {"amount": amount})
    wish = kept["payment_intent_data"]
    members = {
        "metadata": wish.get("metadata") or {},
        "description": wish.get("description"),
        "receipt_email": wish.get("receipt_email"),
        "setup_future_usage": wish.get("setup_future_usage"),
    }
    made = payments.intend(world, amount, session["currency"], session["customer"], **members)
    world.store.put(session, kept=kept | {"payment_intent": made["id"]})
    return made


def _kept_intent(world: Stripe, session: Document) -> str | None:
    found: str | None = world.store.kept(KIND, session["id"]).get("payment_intent")
    return found
