"""Invoices of subscriptions: drafted, finalized, paid or not."""

from dataclasses import dataclass
from typing import Any

from app.sandbox.stripe import payments, tax
from app.sandbox.stripe.ids import new_id
from app.sandbox.stripe.links import page
from app.sandbox.stripe.lists import whole_list
from app.sandbox.stripe.payments import Attempt
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document

TRANSITIONS = ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")


@dataclass(frozen=True)
class Line:
    """What a customer owes for one item and one span of time."""

    item: Document
    price: Document
    start: int
    end: int
    amount: int
    is_proration: bool = False


def draft(world: Stripe, subscription: Document, lines: list[Line], reason: str) -> Document:
    """An invoice that can still change; `invoice.created`."""
    customer = world.store.known("customer", subscription["customer"])
    country = (customer["address"] or {}).get("country")
    is_taxed = subscription["automatic_tax"]["enabled"]
    percent, why = tax.rate(world, country, customer["id"]) if is_taxed else (0, "not_collecting")
    shown = [_line(line, subscription, percent) for line in lines]
    subtotal = sum(line["amount"] for line in shown)
    added = sum(line["taxes"][0]["amount"] for line in shown if line["taxes"])
    invoice = blank(world, customer, subscription["currency"], reason) | {
        "parent": _parent(subscription),
        "automatic_tax": {"enabled": is_taxed, "status": "complete" if is_taxed else None},
        "lines": whole_list(shown, "/v1/invoices/lines"),
        "period_start": min((line.start for line in lines), default=world.clock.now()),
        "period_end": max((line.end for line in lines), default=world.clock.now()),
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": subtotal + added,
        "total_excluding_tax": subtotal,
        "total_taxes": [tax_line(added, subtotal, why)] if is_taxed else [],
    }
    invoice |= {"amount_due": max(0, invoice["total"]), "amount_remaining": max(0, invoice["total"])}
    invoice["lines"]["url"] = f"/v1/invoices/{invoice['id']}/lines"
    world.store.put(invoice)
    world.events.emit("invoice.created", invoice)
    return invoice


def finalize(world: Stripe, invoice: Document) -> Document:
    """Now it is owed: `invoice.finalized`. The customer's balance goes first; nothing left is paid."""
    customer = world.store.known("customer", invoice["customer"])
    due = max(0, invoice["total"] + customer["balance"])
    balance = min(0, invoice["total"] + customer["balance"])
    if balance != customer["balance"]:
        world.events.changed("customer.updated", customer, customer | {"balance": balance})
    sums = {"amount_due": due, "amount_remaining": due}
    balances = {"starting_balance": customer["balance"], "ending_balance": balance}
    after = world.store.put(invoice | owed(world, invoice, customer) | sums | balances)
    if due:
        _demand(world, after)
    world.events.emit("invoice.finalized", after)
    return after if due else _paid(world, after)


def collect(world: Stripe, invoice: Document, attempt: Attempt) -> tuple[Document, Document | None]:
    """Try to get the money: the invoice and its payment intent afterwards (None: nothing to pay)."""
    if invoice["status"] != "open":
        return invoice, None
    payment = payment_of(world, invoice)
    intent = world.store.known("payment_intent", payment["payment"]["payment_intent"])
    if intent["status"] == "processing":
        return invoice, intent
    intent = payments.pay(world, intent, attempt)
    return settled(world, invoice, intent), intent


def settled(world: Stripe, invoice: Document, intent: Document, *, is_new: bool = True) -> Document:
    """The invoice after its payment intent has ended somehow; not `is_new`: a debit that was under way."""
    tried = {"attempted": True, "attempt_count": invoice["attempt_count"] + is_new}
    if intent["status"] == "succeeded":
        return _paid(world, invoice | tried)
    if intent["status"] == "processing":  # the bank will say; nobody tries again before
        after = world.store.put(invoice | tried | {"next_payment_attempt": None})
        world.events.emit("invoice.updated", after, {"attempt_count": invoice["attempt_count"]})
        return after
    after = world.store.put(invoice | tried)
    kind = "payment_action_required" if intent["status"] == "requires_action" else "payment_failed"
    world.events.emit(f"invoice.{kind}", after)
    return after


def void(world: Stripe, invoice: Document, status: str = "void") -> Document:
    """Nobody owes it any more: `invoice.voided` or `invoice.marked_uncollectible`."""
    moment = "voided_at" if status == "void" else "marked_uncollectible_at"
    transitions = invoice["status_transitions"] | {moment: world.clock.now()}
    over = {"status": status, "status_transitions": transitions, "next_payment_attempt": None}
    after = world.store.put(invoice | over)
    world.events.emit("invoice.voided" if status == "void" else "invoice.marked_uncollectible", after)
    return after


def payment_of(world: Stripe, invoice: Document) -> Document:
    """The invoice's payment, with the id of its payment intent."""
    return world.store.find("invoice_payment", invoice=invoice["id"])[0]


def subscription_of(invoice: Document) -> str:
    """The id of the subscription that it is for."""
    return str(invoice["parent"]["subscription_details"]["subscription"])


def _paid(world: Stripe, invoice: Document) -> Document:
    transitions = invoice["status_transitions"] | {"paid_at": world.clock.now()}
    after = invoice | {
        "status": "paid",
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "auto_advance": False,
        "next_payment_attempt": None,
        "status_transitions": transitions,
    }
    world.store.put(after)
    if invoice["amount_due"]:
        payment = payment_of(world, invoice) | {"status": "paid", "amount_paid": invoice["amount_due"]}
        payment["status_transitions"] = payment["status_transitions"] | {"paid_at": world.clock.now()}
        world.store.put(payment)
        world.events.emit("invoice_payment.paid", payment)
    world.events.emit("invoice.paid", after)
    world.events.emit("invoice.payment_succeeded", after)
    return after


def _demand(world: Stripe, invoice: Document) -> None:
    described = (
        "Subscription creation" if invoice["billing_reason"].endswith("create") else "Subscription update"
    )
    intent = payments.intend(
        world, invoice["amount_due"], invoice["currency"], invoice["customer"], description=described
    )
    record_payment(world, invoice, intent, invoice["amount_due"])


def _line(line: Line, subscription: Document, percent: int) -> Document:
    priced = {"amount_subtotal": abs(line.amount), "price": line.price}
    sign = -1 if line.amount < 0 else 1
    added = sign * tax.taxed([priced], percent)[0]["amount_tax"] if percent else 0
    details = {
        "invoice_item": None,
        "proration": line.is_proration,
        "proration_details": {"credited_items": None},
        "subscription": subscription["id"],
        "subscription_item": line.item["id"],
    }
    return {
        "id": new_id("line_item"),
        "object": "line_item",
        "amount": line.amount,
        "currency": line.price["currency"],
        "description": f"{line.item['quantity']} × {line.price['product']}",
        "discountable": not line.is_proration,
        "livemode": False,
        "metadata": subscription["metadata"],
        "parent": {"type": "subscription_item_details", "subscription_item_details": details},
        "period": {"start": line.start, "end": line.end},
        "pricing": {
            "type": "price_details",
            "price_details": {"price": line.price["id"], "product": line.price["product"]},
            "unit_amount_decimal": line.price["unit_amount_decimal"],
        },
        "quantity": line.item["quantity"],
        "subtotal": line.amount,
        "taxes": [tax_line(added, line.amount, "standard_rated")] if percent else [],
    }


def tax_line(amount: int, taxable: int, reason: str) -> Document:
    """What of a sum is tax, and why."""
    return {
        "amount": amount,
        "tax_behavior": "exclusive",
        "tax_rate_details": None,
        "taxability_reason": reason,
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    }


def blank(world: Stripe, customer: Document, currency: str, reason: str) -> dict[str, Any]:
    """An empty draft for this customer."""
    return {
        "id": new_id("invoice"),
        "object": "invoice",
        "account_country": "GR",
        "account_name": "Astronote",
        "amount_overpaid": 0,
        "amount_paid": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatically_finalizes_at": None,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": world.clock.now(),
        "currency": currency,
        **_addressed(world, customer),
        "default_payment_method": None,
        "description": None,
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "parent": None,
        "status": "draft",
        "status_transitions": dict.fromkeys(TRANSITIONS),
    }


def record_payment(world: Stripe, invoice: Document, intent: Document, amount: int) -> Document:
    """Which payment intent is to pay the invoice."""
    payment = {
        "id": new_id("invoice_payment"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": amount,
        "created": world.clock.now(),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
    return world.store.put(payment)


def owed(world: Stripe, invoice: Document, customer: Document) -> Document:
    """The members of an invoice that is no draft any more: its number, its pages."""
    sequence = len(world.store.find("invoice", customer=customer["id"]))
    now = world.clock.now()
    return {
        "status": "open",
        "effective_at": now,
        "hosted_invoice_url": page(f"invoice/{invoice['id']}"),
        "invoice_pdf": page(f"invoice/{invoice['id']}/pdf"),
        "number": f"{customer['invoice_prefix']}-{sequence:04}",
        "status_transitions": invoice["status_transitions"] | {"finalized_at": now},
    }


def _addressed(world: Stripe, customer: Document) -> Document:
    numbers = world.store.find("tax_id", customer=customer["id"])
    return {
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [{"type": one["type"], "value": one["value"]} for one in numbers],
        "starting_balance": customer["balance"],
    }


def _parent(subscription: Document) -> Document:
    details = {"metadata": subscription["metadata"], "subscription": subscription["id"]}
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}
