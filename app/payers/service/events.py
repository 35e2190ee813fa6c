"""What Stripe tells of customers and their VAT numbers. Only ids are taken from an event; the rest is read.

Each handler is called outside a unit of work, may be repeated, and does the same in any order.
"""

from __future__ import annotations

from app.integrations.stripe.events import StripeEvent
from app.payers.errors import CustomerNotFound, MissingCustomer
from app.payers.service.customers import shop_of_customer
from app.payers.service.syncing import pull

REMOVED = "customer.tax_id.deleted"


def customer_changed(event: StripeEvent) -> str:
    """`customer.updated`: take over who pays. Raises StripeFailed."""
    return _pulled(event.object_id)


def tax_id_changed(event: StripeEvent) -> str:
    """`customer.tax_id.created|updated|deleted`: take over the number, and what was found out about it.

    Raises StripeFailed.
    """
    gone = str(event.object.get("value") or "") if event.type == REMOVED else None
    return _pulled(str(event.object.get("customer") or ""), removed=gone)


def _pulled(customer_id: str, *, removed: str | None = None) -> str:
    shop_id = shop_of_customer(customer_id)
    if shop_id is None:
        return "unmatched"
    try:
        pull(shop_id, removed=removed)
    except (CustomerNotFound, MissingCustomer):
        return "gone"
    return "synced"
