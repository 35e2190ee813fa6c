"""Time passes: subscriptions renew or end, invoices are collected, sessions expire, bank debits arrive."""

import time
from collections.abc import Callable, Iterator
from functools import partial

from app.sandbox.stripe import cards, checkout, invoices, schedules, subscriptions
from app.sandbox.stripe.clock import DAY
from app.sandbox.stripe.invoices import Line
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document

RENEWING = ("active", "trialing", "past_due", "unpaid")
NEVER = 10**12
DEBIT_SECONDS = 3 * DAY  # how long a bank debit is under way

Due = tuple[int, Callable[[], object]]


def advance(world: Stripe, seconds: int) -> int:
    """Move the clock, and do what falls due on the way, each at its own moment. How many things were done."""
    target, done = world.clock.now() + seconds, 0
    while (soonest := min(_due(world), key=lambda due: due[0], default=None)) and soonest[0] <= target:
        _set(world, max(soonest[0], world.clock.now()))
        with world.store.changing():
            soonest[1]()
        done += 1
    _set(world, target)
    return done


def pay_invoice(world: Stripe, number: str) -> Document:
    """Collect an open invoice now, as a customer or an operator would. The invoice afterwards."""
    with world.store.changing():
        invoice = world.store.known("invoice", number)
        subscription = world.store.known("subscription", invoices.subscription_of(invoice))
        return _collect(world, subscription, invoice)


def _due(world: Stripe) -> Iterator[Due]:
    yield from _due_subscriptions(world)
    yield from _due_invoices(world)
    yield from _due_sessions(world)


def _due_subscriptions(world: Stripe) -> Iterator[Due]:
    for status in RENEWING:
        for one in world.store.find("subscription", status=status):
            moment = min(subscriptions.ends_at(one), one["cancel_at"] or NEVER)
            yield moment, partial(_turn, world, one)


def _due_invoices(world: Stripe) -> Iterator[Due]:
    for one in world.store.find("invoice", status="draft"):
        if one["auto_advance"]:
            yield one["automatically_finalizes_at"], partial(_finalize, world, one)
    for one in world.store.find("invoice", status="open"):
        if one["next_payment_attempt"]:
            yield one["next_payment_attempt"], partial(_try_again, world, one)


def _due_sessions(world: Stripe) -> Iterator[Due]:
    for one in world.store.find("checkout.session", status="open"):
        yield one["expires_at"], partial(checkout.expire, world, one["id"])
    for one in world.store.find("checkout.session", status="complete", payment_status="unpaid"):
        number = world.store.kept(one["object"], one["id"])["payment_intent"]
        intent = world.store.known("payment_intent", number)
        if intent["status"] == "processing":
            charge = world.store.known("charge", intent["latest_charge"])
            yield charge["created"] + DEBIT_SECONDS, partial(_arrive, world, one, intent)


def _turn(world: Stripe, subscription: Document) -> None:
    """A period is over."""
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= world.clock.now():
        schedules.abandon(world, subscription["schedule"])
        subscriptions.end(world, subscription)
        return
    next_one = schedules.turn(world, subscription)
    if next_one is None:
        subscriptions.end(world, subscription)
        return
    _renew(world, next_one)


def _renew(world: Stripe, subscription: Document) -> None:
    starts = subscriptions.ends_at(world.store.known("subscription", subscription["id"]))
    items = subscriptions.moved(subscription, starts, subscription["billing_cycle_anchor"])
    after = subscription | {"items": subscription["items"] | {"data": items}}
    if after["status"] == "trialing":
        after["status"] = "active"
    lines = [*subscriptions.whole_periods(after), *_waiting_lines(world, after)]
    invoice = invoices.draft(world, after, lines, "subscription_cycle")
    finalizes = world.clock.now() + world.switches.now.finalize_seconds
    # docs.stripe.com/billing/subscriptions/overview: an unpaid subscription's invoices stay drafts.
    is_collected = after["status"] != "unpaid"
    world.store.put(invoice | {"automatically_finalizes_at": finalizes, "auto_advance": is_collected})
    subscriptions.become(world, after, latest_invoice=invoice["id"])


def _finalize(world: Stripe, invoice: Document) -> None:
    invoice = invoices.finalize(world, invoice | {"automatically_finalizes_at": None})
    subscription = world.store.known("subscription", invoices.subscription_of(invoice))
    _collect(world, subscription, invoice)


def _try_again(world: Stripe, invoice: Document) -> None:
    subscription = world.store.known("subscription", invoices.subscription_of(invoice))
    _collect(world, subscription, invoice)


def _collect(world: Stripe, subscription: Document, invoice: Document) -> Document:
    days = [int(piece) for piece in world.switches.now.dunning_days.split(",") if piece]
    tries = invoice["attempt_count"]
    again = world.clock.now() + days[tries] * DAY if tries < len(days) else None
    # The failure's event already says when the next try is.
    invoice, intent = subscriptions.charge(world, subscription, invoice | {"next_payment_attempt": again})
    if intent is None or intent["status"] in ("succeeded", "processing"):
        return _paid(world, subscription, invoice)
    if again is not None:
        subscriptions.become(world, subscription, status="past_due")
        return invoice
    _give_up(world, subscription)
    return world.store.known("invoice", invoice["id"])


def _paid(world: Stripe, subscription: Document, invoice: Document) -> Document:
    pending = subscription["pending_update"]
    members: Document = {"pending_update": None} if pending else {}
    if pending and invoice["id"] == subscription["latest_invoice"]:
        members["items"] = subscription["items"] | {"data": pending["subscription_items"]}
    if subscription["status"] in ("past_due", "unpaid", "incomplete"):
        others = [
            one for one in subscriptions.unpaid_invoices(world, subscription) if one["status"] == "open"
        ]
        members["status"] = subscription["status"] if others else "active"
    subscriptions.become(world, subscription, **members)
    return invoice


def _give_up(world: Stripe, subscription: Document) -> None:
    """The last try has failed: what the account's settings say."""
    ending = world.switches.now.dunning_end
    if ending == "canceled":
        schedules.abandon(world, subscription["schedule"])
        subscriptions.end(world, subscription, "payment_failed")
    else:
        subscriptions.become(world, subscription, status=ending)


def _arrive(world: Stripe, session: Document, intent: Document) -> None:
    method = world.store.known("payment_method", intent["payment_method"])
    number = world.store.kept("payment_method", method["id"])["number"]
    checkout.async_result(world, session["id"], cards.by_number(number).refusal is None)


def _waiting_lines(world: Stripe, subscription: Document) -> list[Line]:
    """Prorations that waited for this invoice."""
    kept = world.store.kept("subscription", subscription["id"])
    lines = [Line(**one) for one in kept.pop("pending_lines", [])]
    if lines:
        world.store.put(world.store.known("subscription", subscription["id"]), kept=kept)
    return lines


def _set(world: Stripe, moment: int) -> None:
    # A hundredth of a second above, or rounding could show the second before.
    offset = moment + 0.01 - time.time()
    world.clock.offset_seconds = offset
    world.store.put({"object": "clock", "id": "clock", "offset_seconds": offset})
