"""What an operator may see of an event: its shape and its facts, nothing that points at a person."""

from __future__ import annotations

import re

from app.core.phones import mask_phone
from app.integrations.shopify.events import instant

NUMBER = re.compile(r"\+?\d[\d\s().-]{5,}\d")
# Texts of Shopify's objects that say nothing about a person. Every other text is told by its length only.
HARMLESS = frozenset(
    {
        "admin_graphql_api_id", "admin_graphql_api_customer_deleted_id", "admin_graphql_api_customer_kept_id",
        "consent_collected_from", "currency", "customer_locale", "error_code", "financial_status",
        "fulfillment_status", "myshopify_domain", "opt_in_level", "shipment_status", "shop_domain",
        "source_name", "state", "status", "timezone", "total_price", "subtotal_price", "type",
        "country_code", "province_code",
    }
)  # fmt: skip

# The same of Stripe's, and of the metadata that we write; and its ids, by what they begin with.
HARMLESS_OF_STRIPE = frozenset(
    {
        "object", "type", "api_version", "status", "currency", "reason", "mode", "payment_status",
        "billing_reason", "failure_code", "decline_code", "cancellation_reason", "collection_method",
        "interval", "shopId", "storeId", "purchaseId", "planType", "plan",
    }
)  # fmt: skip
ID_OF_STRIPE = re.compile(
    r"(evt|cus|cs|pi|ch|py|pm|re|pyr|dp|du|in|il|ii|inpay|sub|si|prod|price|txn|txi|req|cn|seti)_[A-Za-z0-9_]+"
)


def shown_of_carrier(key: str, value: object) -> object:
    """A member of the carrier's event with numbers masked and without what people wrote."""
    if key == "text":
        return f"({len(str(value))} characters)"
    if key in {"from", "to"} and value:
        return mask_phone(str(value))
    if key == "reason" and value:
        return NUMBER.sub("•••", str(value))
    return value


def shown_of_shopify(value: object, key: str = "") -> object:
    """Any part of Shopify's payload, the same way."""
    if isinstance(value, dict):
        return {name: shown_of_shopify(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [shown_of_shopify(inner, key) for inner in value]
    if isinstance(value, str) and not (key in HARMLESS or instant(value)):
        return f"({len(value)} characters)"
    return value


def shown_of_stripe(value: object, key: str = "") -> object:
    """Any part of Stripe's payload, the same way: no address, name, e-mail or VAT number."""
    if isinstance(value, dict):
        return {name: shown_of_stripe(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [shown_of_stripe(inner, key) for inner in value]
    if isinstance(value, str) and not (key in HARMLESS_OF_STRIPE or ID_OF_STRIPE.fullmatch(value)):
        return f"({len(value)} characters)"
    return value
