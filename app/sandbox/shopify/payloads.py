"""Objects as webhooks show them: the JSON of Shopify's REST API, states in lower case, money as text."""

import json
from collections.abc import Mapping
from typing import Any

from app.sandbox.shopify.clock import local
from app.sandbox.shopify.gids import gid
from app.sandbox.shopify.shops import Shop

Payload = dict[str, Any]


def money(cents: int) -> str:
    """`49.90`."""
    return f"{cents // 100}.{cents % 100:02d}"


def cents(text: object) -> int:
    """Read such an amount. Raises ValueError."""
    return round(float(str(text)) * 100)


def customer(row: Any, shop: Shop) -> Payload:
    """A customer; consent is null without a phone."""
    return {
        "id": row["id"],
        "admin_graphql_api_id": gid("Customer", row["id"]),
        "email": row["email"],
        "phone": row["phone"],
        "first_name": row["first_name"],
        "last_name": row["last_name"],
        "state": "disabled",
        "note": None,
        "verified_email": True,
        "tags": row["tags"],
        "currency": shop.currency,
        "locale": row["locale"],
        "orders_count": row["orders_count"],
        "total_spent": money(row["spent_cents"]),
        "last_order_id": row["last_order_id"],
        "created_at": local(row["created_at"], shop.timezone),
        "updated_at": local(row["updated_at"], shop.timezone),
        "default_address": {
            "id": row["id"] + 1,
            "customer_id": row["id"],
            "first_name": row["first_name"],
            "last_name": row["last_name"],
            "phone": row["phone"],
            "country_code": row["country"],
            "province_code": None,
            "default": True,
        },
        "email_marketing_consent": {
            "state": row["email_state"],
            "opt_in_level": "single_opt_in",
            "consent_updated_at": None,
        },
        "sms_marketing_consent": sms_consent(row, shop),
    }


def sms_consent(row: Any, shop: Shop) -> Payload | None:
    """The consent to texts, or null without a phone."""
    if row["phone"] is None or row["sms_state"] is None:
        return None
    return {
        "state": row["sms_state"],
        "opt_in_level": row["sms_level"],
        "consent_updated_at": local(row["sms_at"], shop.timezone) if row["sms_at"] else None,
        "consent_collected_from": row["sms_from"],
    }


def consent_change(row: Any, shop: Shop) -> Payload:
    """`customers_marketing_consent/update`, which is the topic of the consent to texts."""
    return {
        "customer_id": row["id"],
        "admin_graphql_api_customer_id": gid("Customer", row["id"]),
        "phone": row["phone"],
        "sms_marketing_consent": sms_consent(row, shop),
    }


def address(row: Any) -> Payload:
    """Where a parcel goes. Its phone is typed without a country code, as people do."""
    phone = row["phone"] or ""
    typed = phone.removeprefix("+30") if row["country"] == "GR" else phone
    return {
        "first_name": row["first_name"],
        "last_name": row["last_name"],
        "phone": typed or None,
        "city": "Athens",
        "country_code": row["country"],
        "province_code": None,
    }


def shown(body: Mapping[str, Any], customer_now: Payload | None) -> Payload:
    """A stored order or checkout with its customer as he or she is now."""
    return {**json.loads(json.dumps(body)), "customer": customer_now}
