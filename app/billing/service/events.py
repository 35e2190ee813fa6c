"""Stripe's events about invoices. The event says which; what is so is read from Stripe."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.billing.service.invoices import follow
from app.integrations.stripe.errors import StripeObjectMissing
from app.integrations.stripe.events import StripeEvent
from app.payers.service import customers

UNMATCHED, GONE = "unmatched", "invoice_gone"
TYPES = (
    *("created", "finalized", "updated", "paid", "payment_succeeded", "payment_failed"),
    *("payment_action_required", "voided", "marked_uncollectible"),
)


def invoice_changed(event: StripeEvent) -> str:
    """An invoice was made, sent, paid, or given up."""
    shop_id = customers.shop_of_customer(str(event.object.get("customer") or ""))
    if shop_id is None:
        return UNMATCHED
    try:
        return f"invoice_{follow(shop_id, event.object_id)}"
    except StripeObjectMissing:  # a draft that was deleted
        return GONE


HANDLERS: Mapping[str, Callable[[StripeEvent], str]] = {f"invoice.{one}": invoice_changed for one in TYPES}
