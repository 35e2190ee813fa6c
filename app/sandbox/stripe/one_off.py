"""The paid invoice of a single purchase (`invoice_creation`)."""

from app.sandbox.stripe.ids import new_id
from app.sandbox.stripe.links import page
from app.sandbox.stripe.lists import whole_list
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document


def invoice(world: Stripe, session: Document, intent: Document) -> Document:
    """A paid invoice for what the session has sold; `invoice.created`, `.finalized`, `.paid`."""
    number, now = new_id("invoice"), world.clock.now()
    kept = world.store.kept("checkout.session", session["id"])
    customer = world.store.known("customer", session["customer"])
    sequence = len(world.store.find("invoice", customer=customer["id"])) + 1
    tax = session["total_details"]["amount_tax"]
    wish = (kept["invoice_creation"] or {}).get("invoice_data") or {}
    made = {
        "id": number,
        "object": "invoice",
        "amount_due": session["amount_total"],
        "amount_paid": session["amount_total"],
        "amount_remaining": 0,
        "attempt_count": 1,
        "attempted": True,
        "auto_advance": False,
        "automatic_tax": session["automatic_tax"],
        "billing_reason": "manual",
        "collection_method": "charge_automatically",
        "created": now,
        "currency": session["currency"],
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "description": wish.get("description"),
        "hosted_invoice_url": page(f"invoice/{number}"),
        "invoice_pdf": page(f"invoice/{number}/pdf"),
        "lines": whole_list([_line(item) for item in kept["line_items"]], f"/v1/invoices/{number}/lines"),
        "livemode": False,
        "metadata": wish.get("metadata") or {},
        "next_payment_attempt": None,
        "number": f"{customer['invoice_prefix']}-{sequence:04}",
        "parent": None,
        "period_end": now,
        "period_start": now,
        "status": "paid",
        "status_transitions": {
            "finalized_at": now,
            "marked_uncollectible_at": None,
            "paid_at": now,
            "voided_at": None,
        },
        "subtotal": session["amount_total"] - tax,
        "total": session["amount_total"],
        "total_excluding_tax": session["amount_total"] - tax,
        "total_taxes": [],
    }
    world.store.put(made)
    payment = {
        "id": new_id("invoice_payment"),
        "object": "invoice_payment",
        "amount_paid": session["amount_total"],
        "amount_requested": session["amount_total"],
        "created": now,
        "currency": session["currency"],
        "invoice": number,
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": now},
    }
    world.store.put(payment)
    for kind in ("created", "finalized", "paid", "payment_succeeded"):
        world.events.emit(f"invoice.{kind}", made)
    return made


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
