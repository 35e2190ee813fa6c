"""Subscriptions: begun by a Checkout, paid by invoices, ended."""

from typing import Any

from app.sandbox.stripe import invoices, payments
from app.sandbox.stripe.clock import DAY, period_end
from app.sandbox.stripe.ids import new_id
from app.sandbox.stripe.invoices import Line
from app.sandbox.stripe.lists import whole_list
from app.sandbox.stripe.payments import Attempt
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document

KIND = "subscription"
OVER = ("canceled", "incomplete_expired")


def start(
    world: Stripe, session: Document, kept: Document, attempt: Attempt
) -> tuple[Document, Document | None]:
    """What a Checkout ordered, with its first invoice; beside it the payment intent if one was needed."""
    wish, now = kept["subscription_data"], world.clock.now()
    subscription = _blank(world, session, wish)
    trial = wish.get("trial_period_days")
    if trial:
        subscription |= {"trial_start": now, "trial_end": now + trial * DAY}
    items = [_item(subscription, line, now) for line in kept["line_items"] if line["price"]["recurring"]]
    subscription["items"]["data"] = items
    subscription["default_payment_method"] = attempt.method["id"]
    world.store.put(subscription)
    world.events.emit("customer.subscription.created", subscription)
    invoice = invoices.draft(world, subscription, whole_periods(subscription), "subscription_create")
    subscription = world.store.put(subscription | {"latest_invoice": invoice["id"]})
    invoice = invoices.finalize(world, invoice)
    invoice, intent = invoices.collect(world, invoice, attempt)
    went_well = intent is None or intent["status"] in ("succeeded", "processing")
    status = ("trialing" if trial else "active") if went_well else "incomplete"
    return become(world, subscription, status=status), intent


def first_payment_ended(world: Stripe, number: str, intent: Document) -> None:
    """The bank debit of the first invoice has come, or has not: then the subscription is past due."""
    subscription = world.store.known(KIND, number)
    invoice = world.store.known("invoice", subscription["latest_invoice"])
    invoices.settled(world, invoice, intent, is_new=False)
    become(world, subscription, status="active" if intent["status"] == "succeeded" else "past_due")


def become(world: Stripe, subscription: Document, **members: Any) -> Document:
    """Change members; `customer.subscription.updated` when any differs."""
    before = world.store.known(KIND, subscription["id"])
    after = subscription | members
    world.events.changed("customer.subscription.updated", before, after)
    return after


def end(world: Stripe, subscription: Document, reason: str = "cancellation_requested") -> Document:
    """Cancel it now; `customer.subscription.deleted`. Its open invoices are not collected any more."""
    now = world.clock.now()
    details = subscription["cancellation_details"] | {"reason": reason}
    after = subscription | {
        "status": "canceled",
        "canceled_at": subscription["canceled_at"] or now,
        "ended_at": now,
        "cancellation_details": details,
        "schedule": None,
    }
    world.store.put(after)
    world.events.emit("customer.subscription.deleted", after)
    for invoice in unpaid_invoices(world, subscription):
        world.store.put(invoice | {"auto_advance": False, "next_payment_attempt": None})
    return after


def charge(world: Stripe, subscription: Document, invoice: Document) -> tuple[Document, Document | None]:
    """Try to get an invoice's money without the customer."""
    method = method_of(world, subscription)
    if method is not None:
        return invoices.collect(world, invoice, Attempt(method, off_session=True))
    if invoice["status"] != "open":
        return invoice, None
    payment = invoices.payment_of(world, invoice)
    intent = world.store.known("payment_intent", payment["payment"]["payment_intent"])
    return invoices.settled(world, invoice, intent), intent


def method_of(world: Stripe, subscription: Document) -> Document | None:
    """The card that pays: the subscription's own, else the customer's default."""
    customer = world.store.known("customer", subscription["customer"])
    default = customer["invoice_settings"]["default_payment_method"]
    found = [
        world.store.get("payment_method", one) for one in (subscription["default_payment_method"], default)
    ]
    return next((one for one in found if one is not None and one["customer"] == customer["id"]), None)


def change_card(world: Stripe, subscription: Document, number: str) -> Document:
    """The customer gives another card, in the portal. Raises NoSuchCard."""
    with world.store.changing():
        card = payments.cards.by_number(number)
        method = payments.save_method(world, card, is_confirmed=True)
        method = payments.attach(world, method, subscription["customer"])
        customer = world.store.known("customer", subscription["customer"])
        settings = customer["invoice_settings"] | {"default_payment_method": method["id"]}
        world.events.changed("customer.updated", customer, customer | {"invoice_settings": settings})
        return become(world, subscription, default_payment_method=method["id"])


def unpaid_invoices(world: Stripe, subscription: Document) -> list[Document]:
    """Its drafts and open invoices, newest first."""
    found = world.store.find("invoice", customer=subscription["customer"])
    mine = [one for one in found if one["parent"] and invoices.subscription_of(one) == subscription["id"]]
    return [one for one in mine if one["status"] in ("draft", "open")]


def whole_periods(subscription: Document) -> list[Line]:
    """A line for each item and its present period; nothing to pay while trialing."""
    is_trial = subscription["trial_end"] is not None and subscription["trial_end"] >= ends_at(subscription)
    return [
        Line(
            item,
            item["price"],
            item["current_period_start"],
            item["current_period_end"],
            0 if is_trial else item["price"]["unit_amount"] * item["quantity"],
        )
        for item in subscription["items"]["data"]
    ]


def ends_at(subscription: Document) -> int:
    """Where the present period ends."""
    return min(item["current_period_end"] for item in subscription["items"]["data"])


def moved(subscription: Document, start: int, anchor: int) -> list[Document]:
    """The items with the period that begins at `start`."""
    return [
        item | {"current_period_start": start, "current_period_end": _end(item["price"], anchor, start)}
        for item in subscription["items"]["data"]
    ]


def blank_item(subscription_id: str, price: Document, quantity: int, start: int, anchor: int) -> Document:
    """A new item whose period begins at `start`."""
    return {
        "id": new_id("subscription_item"),
        "object": "subscription_item",
        "created": start,
        "current_period_start": start,
        "current_period_end": _end(price, anchor, start),
        "discounts": [],
        "metadata": {},
        "price": price,
        "quantity": quantity,
        "subscription": subscription_id,
        "tax_rates": [],
    }


def _end(price: Document, anchor: int, start: int) -> int:
    return period_end(anchor, start, price["recurring"]["interval"], price["recurring"]["interval_count"])


def _item(subscription: Document, line: Document, now: int) -> Document:
    item = blank_item(subscription["id"], line["price"], line["quantity"], now, now)
    if subscription["trial_end"]:
        item["current_period_end"] = subscription["trial_end"]
    return item


def _blank(world: Stripe, session: Document, wish: Document) -> Document:
    number, now = new_id(KIND), world.clock.now()
    return {
        "id": number,
        "object": KIND,
        "automatic_tax": {"disabled_reason": None, "enabled": session["automatic_tax"]["enabled"]},
        "billing_cycle_anchor": now,
        "billing_mode": {"type": "flexible"},
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": now,
        "currency": session["currency"],
        "customer": session["customer"],
        "days_until_due": None,
        "default_payment_method": None,
        "default_tax_rates": [],
        "description": wish.get("description"),
        "discounts": [],
        "ended_at": None,
        "items": whole_list([], f"/v1/subscription_items?subscription={number}"),
        "latest_invoice": None,
        "livemode": False,
        "metadata": wish.get("metadata") or {},
        "pause_collection": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": now,
        "status": "incomplete",
        "test_clock": None,
        "trial_end": None,
        "trial_start": None,
    }
