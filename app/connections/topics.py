"""What Shopify is asked to post to us, and where to. The compliance topics are declared with the app."""

from __future__ import annotations

CATCH_ALL = "/webhooks/shopify"
PATHS = {
    "orders/create": "/automation-webhooks/shopify/orders/create",
    "orders/fulfilled": "/automation-webhooks/shopify/orders/fulfilled",
    "customers/create": "/automation-webhooks/shopify/customers/create",
    "app/uninstalled": "/webhooks/app_uninstalled",
}
TOPICS = (
    "customers/create",
    "customers/update",
    "customers/delete",
    "customers/merge",
    "customers_marketing_consent/update",
    "orders/create",
    "orders/updated",
    "orders/cancelled",
    "orders/fulfilled",
    "refunds/create",
    "fulfillments/create",
    "fulfillments/update",
    "checkouts/create",
    "checkouts/update",
    "bulk_operations/finish",
    "app/uninstalled",
    "app/scopes_update",
    "shop/update",
)


def wanted(base_url: str) -> dict[str, str]:
    """Each topic, as GraphQL names it, and the address that it is posted to."""
    return {graphql_name(topic): base_url + PATHS.get(topic, CATCH_ALL) for topic in TOPICS}


def graphql_name(topic: str) -> str:
    """`ORDERS_CREATE` of `orders/create`."""
    return topic.replace("/", "_").upper()
