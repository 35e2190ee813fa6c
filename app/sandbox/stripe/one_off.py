"""The paid invoice of a single purchase (`invoice_creation`)."""

from app.sandbox.stripe import invoices
from app.sandbox.stripe.ids import new_id
from app.sandbox.stripe.lists import whole_list
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document


def invoice(world: Stripe, session: Document, intent: Document) -> Document:
    """A paid invoice for what the session has sold; `invoice.created`, `.finalized`, `.paid`."""
    kept = world.store.kept("checkout.session", session["id"])
    wish = kept["invoice_creation"].get("invoice_data") or {}
    customer = world.store.known("customer", session["customer"])
    draft = invoices.blank(world, customer, session["currency"], "manual") | {
        "auto_advance": False,
        "automatic_tax": session["automatic_tax"],
        "description": wish.get("description"),
        "metadata": wish.get("metadata") or {},
    }
    draft |= _sums(draft, session, [_line(item) for item in kept["line_items"]])
    world.store.put(draft)
    world.events.emit("invoice.created", draft)
    open_one = world.store.put(draft | invoices.owed(world, draft, customer))
    invoices.record_payment(world, open_one, intent, session["amount_total"])
    world.events.emit("invoice.finalized", open_one)
    return invoices.settled(world, open_one, intent)


def _sums(draft: Document, session: Document, lines: list[Document]) -> Document:
    total, tax = session["amount_total"], session["total_details"]["amount_tax"]
    return {
        "amount_due": total,
        "amount_remaining": total,
        "lines": whole_list(lines, f"/v1/invoices/{draft['id']}/lines"),
        "period_end": draft["created"],
        "period_start": draft["created"],
        "subtotal": total - tax,
        "subtotal_excluding_tax": total - tax,
        "total": total,
        "total_excluding_tax": total - tax,
        "total_taxes": [invoices.tax_line(tax, total - tax, "standard_rated")] if tax else [],
    }


def _line(item: Document) -> Document:
    return {
        "id": new_id("line_item"),
        "object": "line_item",
        "amount": item["amount_total"] - item["amount_tax"],
        "currency": item["currency"],
        "description": item["description"],
        "metadata": item["metadata"],
        "parent": None,
        "pricing": {
            "type": "price_details",
            "price_details": {"price": item["price"]["id"], "product": item["price"]["product"]},
            "unit_amount_decimal": item["price"]["unit_amount_decimal"],
        },
        "quantity": item["quantity"],
    }
