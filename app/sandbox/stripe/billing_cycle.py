"""Time passes: subscriptions renew or end, invoices are collected, sessions expire, bank debits arrive."""

import time
from collections.abc import Callable, Iterator
from functools import partial

from app.sandbox.stripe import cards, checkout, invoices, payments, schedules, subscriptions
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
    yield from _due_debits(world)


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


def _due_debits(world: Stripe) -> Iterator[Due]:
    for intent in world.store.find("payment_intent", status="processing"):
        charge = world.store.known("charge", intent["latest_charge"])
        yield charge["created"] + DEBIT_SECONDS, partial(_arrive, world, intent)


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
    again = _next_try(world, invoice["attempt_count"])
    # The failure's event already says when the next try is.
    invoice, intent = subscriptions.charge(world, subscription, invoice | {"next_payment_attempt": again})
    if intent is not None and intent["status"] == "processing":
        return invoice
    return _judge(world, subscription, invoice, again)


def _next_try(world: Stripe, tries: int) -> int | None:
    """When a renewal is tried again that has failed once more after so many tries; None: never."""
    days = [int(piece) for piece in world.switches.now.dunning_days.split(",") if piece]
    return world.clock.now() + days[tries] * DAY if tries < len(days) else None


def _judge(world: Stripe, subscription: Document, invoice: Document, again: int | None) -> Document:
    """What an attempt means for the subscription; `again`: when the next one is."""
    if invoice["status"] == "paid":
        return _paid(world, subscription, invoice)
    if again is not None:
        subscriptions.become(world, subscription, status="past_due")
    else:
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


def _arrive(world: Stripe, intent: Document) -> None:
    """A bank debit has come in or has failed, as its account does."""
    number = world.store.kept("payment_method", intent["payment_method"])["number"]
    has_come = cards.by_number(number).refusal is None
    for session in world.store.find("checkout.session", status="complete", payment_status="unpaid"):
        if world.store.kept(session["object"], session["id"]).get("payment_intent") == intent["id"]:
            checkout.async_result(world, session["id"], has_come)
            return
    intent = payments.settle(world, intent, succeeded=has_come)
    for payment in world.store.find("invoice_payment"):
        if payment["payment"]["payment_intent"] == intent["id"]:
            invoice = world.store.known("invoice", payment["invoice"])
            again = _next_try(world, invoice["attempt_count"] - 1)
            invoice = invoices.settled(world, invoice | {"next_payment_attempt": again}, intent, is_new=False)
            subscription = world.store.known("subscription", invoices.subscription_of(invoice))
            if subscription["status"] in RENEWING:
                _judge(world, subscription, invoice, again)


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
