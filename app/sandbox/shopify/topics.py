"""Webhook topics that this Shopify knows, and their names in GraphQL."""

COMPLIANCE = ("customers/data_request", "customers/redact", "shop/redact")  # not subscribed: always posted
TOPICS = (
    "app/uninstalled",
    "app/scopes_update",
    "shop/update",
    "customers/create",
    "customers/update",
    "customers/delete",
    "customers/merge",
    "customers_marketing_consent/update",
    "customers_email_marketing_consent/update",
    "orders/create",
    "orders/paid",
    "orders/fulfilled",
    "orders/partially_fulfilled",
    "orders/cancelled",
    "orders/updated",
    "orders/edited",
    "orders/delete",
    "refunds/create",
    "fulfillments/create",
    "fulfillments/update",
    "fulfillment_events/create",
    "checkouts/create",
    "checkouts/update",
    "checkouts/delete",
    "carts/create",
    "carts/update",
    "discounts/create",
    "discounts/update",
    "discounts/delete",
    "bulk_operations/finish",
    "app_subscriptions/update",
)
ENUM = {topic: topic.upper().replace("/", "_") for topic in TOPICS}
BY_ENUM = {enum: topic for topic, enum in ENUM.items()}
