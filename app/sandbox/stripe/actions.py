"""What people, banks and time can do here, by name: buttons of the pages, calls of the control API."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from app.sandbox.stripe import (
    billing_cycle,
    changes,
    checkout,
    customers,
    payments,
    portal_sessions,
    reversals,
    subscriptions,
)
from app.sandbox.stripe.cards import NoSuchCard, by_number
from app.sandbox.stripe.checkout import KIND, End, Payer, SessionOver
from app.sandbox.stripe.clock import DAY, period_end
from app.sandbox.stripe.errors import Refusal
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document

Wish = dict[str, Any]
Action = Callable[[Stripe, Wish], Any]
GOOD_CARD, FAILING_CARD = "4242424242424242", "4000000000000341"


class BadWish(ValueError):
    """There is no such action, or it cannot be done that way."""


REFUSALS = (BadWish, Refusal, SessionOver, NoSuchCard, LookupError)


def act(world: Stripe, name: str, wish: Wish) -> Any:
    """Do one of ACTIONS. Raises BadWish, SessionOver, NoSuchCard, Refusal, LookupError."""
    if name not in ACTIONS:
        raise BadWish(f"{name!r} is not one of {', '.join(sorted(ACTIONS))}")
    try:
        return ACTIONS[name](world, dict(wish))
    except KeyError as missing:
        raise BadWish(f"{missing.args[0]} is needed") from missing


def _pay(world: Stripe, wish: Wish) -> Document:
    """{session, card, email, name, address, tax_id, is_authentic}: 3-D Secure is passed unless refused."""
    number, card = _session_id(wish), str(wish.get("card") or GOOD_CARD)
    payer = Payer(
        wish.get("email") or "", wish.get("name") or "", wish.get("address") or {}, wish.get("tax_id") or ""
    )
    outcome = checkout.complete(world, number, card, payer)
    if outcome.end == End.REQUIRES_ACTION and wish.get("is_authentic", True):
        outcome = checkout.complete(world, number, card, payer, is_confirmed=True)
    elif outcome.end == End.REQUIRES_ACTION:
        outcome = checkout.fail(world, number, payer)
    return outcome.session


def _cancel(world: Stripe, wish: Wish) -> Document:
    checkout.cancel(world, _session_id(wish))
    return world.store.known(KIND, _session_id(wish))


def _settle(world: Stripe, wish: Wish) -> Document:
    """{session} or {payment_intent}, and {succeeded}."""
    succeeded = bool(wish.get("succeeded"))
    if "session" in wish:
        return checkout.async_result(world, _session_id(wish), succeeded)
    wanted = wish["payment_intent"]
    for session in world.store.find(KIND, payment_status="unpaid", status="complete"):
        if world.store.kept(KIND, session["id"]).get("payment_intent") == wanted:
            return checkout.async_result(world, session["id"], succeeded)
    raise LookupError(f"No delayed payment {wanted} is under way.")


def _refund(world: Stripe, wish: Wish) -> Document:
    made = reversals.refund(world, wish["payment_intent"], _cents(wish))
    return reversals.fail_refund(world, made["id"]) if wish.get("fails") else made


def _dispute(world: Stripe, wish: Wish) -> Document:
    return reversals.dispute(world, wish["payment_intent"], _cents(wish))


def _close_dispute(world: Stripe, wish: Wish) -> Document:
    return reversals.close_dispute(world, wish["dispute"], bool(wish.get("won")))


def _advance(world: Stripe, wish: Wish) -> Document:
    """{seconds, days, months, years}: what falls due on the way happens, in order."""
    now = world.clock.now()
    to = period_end(now, now, "month", int(wish.get("months") or 0) + 12 * int(wish.get("years") or 0))
    to += int(float(wish.get("days") or 0) * DAY + float(wish.get("seconds") or 0))
    done = billing_cycle.advance(world, to - now)
    return {"now": world.clock.now(), "done": done}


def _with_card(number: str) -> Action:
    def use(world: Stripe, wish: Wish) -> Document:
        return subscriptions.change_card(
            world, world.store.known("subscription", wish["subscription"]), number
        )

    return use


def _change_method(world: Stripe, wish: Wish) -> Document:
    """{customer, card}: for all that is paid from now on."""
    with world.store.changing():
        customer = world.store.known("customer", wish["customer"])
        mine = world.store.find("subscription", customer=customer["id"])
        alive = [one for one in mine if one["status"] not in subscriptions.OVER]
        for one in alive:
            subscriptions.change_card(world, one, wish["card"])
        if alive:
            return world.store.known("customer", customer["id"])
        method = payments.save_method(world, by_number(wish["card"]), is_confirmed=True)
        payments.attach(world, method, customer["id"])
        settings = {"invoice_settings": {"default_payment_method": method["id"]}}
        return customers.update(world, customer, settings)


def _at_period_end(value: bool) -> Action:
    def change(world: Stripe, wish: Wish) -> Document:
        with world.store.changing():
            found = world.store.known("subscription", wish["subscription"])
            return changes.update(world, found, {"cancel_at_period_end": value})

    return change


def _portal(world: Stripe, wish: Wish) -> Document:
    """{customer, return_url}: a way into the customer's portal."""
    return portal_sessions.begin(world, world.store.known("customer", wish["customer"]), wish)


def _end(world: Stripe, wish: Wish) -> Document:
    with world.store.changing():
        return subscriptions.end(world, world.store.known("subscription", wish["subscription"]))


def _again(world: Stripe, wish: Wish) -> Document:
    if not world.emitter.again(wish["event"]):
        raise LookupError("There was no such event.")
    return {}


def _end_roll(world: Stripe, wish: Wish) -> Document:
    world.emitter.end_roll()
    return {}


def _session_id(wish: Wish) -> str:
    """A session is named by its id, or by the address of its page."""
    return urlsplit(str(wish["session"])).path.rstrip("/").rpartition("/")[2]


def _cents(wish: Wish) -> int | None:
    return int(wish["amount"]) if wish.get("amount") else None


ACTIONS: dict[str, Action] = {
    "pay": _pay,
    "cancel": _cancel,
    "expire": lambda world, wish: checkout.expire(world, _session_id(wish)),
    "settle": _settle,
    "refund": _refund,
    "dispute": _dispute,
    "close-dispute": _close_dispute,
    "advance": _advance,
    "pay-invoice": lambda world, wish: billing_cycle.pay_invoice(world, wish["invoice"]),
    "fail-renewals": _with_card(FAILING_CARD),
    "mend-renewals": _with_card(GOOD_CARD),
    "cancel-subscription": _end,
    "cancel-at-period-end": _at_period_end(True),
    "resume": _at_period_end(False),
    "change-method": _change_method,
    "portal": _portal,
    "again": _again,
    "roll-secret": lambda world, wish: {"secret": world.emitter.roll(wish.get("secret"))},
    "end-roll": _end_roll,
}
