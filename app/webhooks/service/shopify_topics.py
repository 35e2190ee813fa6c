"""What is done about each of Shopify's topics. Handlers are steps of other features: they run inside the
transaction that marks the event done, give a short word for what they did, and are harmless when repeated.
"""

from __future__ import annotations

from collections.abc import Callable

from app.automations.service import events as automations
from app.connections.service import events as connections
from app.customers.service import events as customers
from app.integrations.shopify.events import ShopifyEvent
from app.privacy.service import events as privacy
from app.webhooks.models import Left

Handler = Callable[[ShopifyEvent], str]

HANDLERS: dict[str, Handler] = {
    "app/uninstalled": connections.uninstalled,
    "app/scopes_update": connections.scopes_updated,
    "shop/update": connections.shop_updated,
    "customers/create": customers.customer_changed,
    "customers/update": customers.customer_changed,
    "customers/delete": customers.customer_deleted,
    "customers/merge": customers.customers_merged,
    "customers_marketing_consent/update": customers.consent_changed,
    "bulk_operations/finish": customers.bulk_finished,
    "orders/create": automations.order_changed,
    "orders/updated": automations.order_changed,
    "orders/paid": automations.order_changed,
    "orders/cancelled": automations.order_changed,
    "orders/fulfilled": automations.order_changed,
    "orders/partially_fulfilled": automations.order_changed,
    "fulfillments/create": automations.parcel_changed,
    "fulfillments/update": automations.parcel_changed,
    "refunds/create": automations.refunded,
    "checkouts/create": automations.checkout_changed,
    "checkouts/update": automations.checkout_changed,
    "checkouts/abandoned": automations.checkout_changed,
    "customers/data_request": privacy.data_requested,
    "customers/redact": privacy.customer_redacted,
    "shop/redact": privacy.shop_redacted,
}


def apply(event: ShopifyEvent) -> str:
    """Do what the event's topic asks for; what was done. A step. Raises whatever its handler raises."""
    handler = HANDLERS.get(event.topic)
    return handler(event) if handler else Left.NO_HANDLER
