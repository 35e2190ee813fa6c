"""GraphQL's customers and orders as the events of webhooks show them, so that one reader serves both.

Facts: shopify.dev, REST Admin API: ids are numbers, states and levels in lower case, tags one text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.integrations.shopify.events import object_id

Node = Mapping[str, Any]
FULFILMENT_STATES = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial", "RESTOCKED": "restocked"}


def customer(node: Node) -> dict[str, Any]:
    """As in `customers/update`."""
    phone, address = node.get("defaultPhoneNumber") or {}, node.get("defaultAddress") or {}
    return {
        "id": object_id(node["id"]),
        "admin_graphql_api_id": node["id"],
        "email": (node.get("defaultEmailAddress") or {}).get("emailAddress"),
        "phone": phone.get("phoneNumber"),
        "first_name": node.get("firstName"),
        "last_name": node.get("lastName"),
        "tags": ", ".join(node.get("tags") or ()),
        "created_at": node.get("createdAt"),
        "updated_at": node["updatedAt"],
        "default_address": {
            "country_code": address.get("countryCodeV2"),
            "province_code": address.get("provinceCode"),
            "phone": address.get("phone"),
        },
        "sms_marketing_consent": _consent(phone) if phone else None,
    }


def order(node: Node) -> dict[str, Any]:
    """As in `orders/updated`."""
    address, buyer = node.get("shippingAddress") or {}, node.get("customer")
    visit = (node.get("customerJourneySummary") or {}).get("firstVisit") or {}
    fulfilled = node.get("displayFulfillmentStatus")
    return {
        "id": object_id(node["id"]),
        "admin_graphql_api_id": node["id"],
        "name": node.get("name"),
        "email": node.get("email"),
        "phone": node.get("phone"),
        "created_at": node.get("createdAt"),
        "processed_at": node.get("processedAt"),
        "updated_at": node["updatedAt"],
        "cancelled_at": node.get("cancelledAt"),
        "test": node.get("test"),
        "currency": node.get("currencyCode"),
        "total_price": _amount(node.get("totalPriceSet")),
        "financial_status": _lower(node.get("displayFinancialStatus")),
        "fulfillment_status": FULFILMENT_STATES.get(str(fulfilled)),
        "discount_codes": [{"code": code} for code in node.get("discountCodes") or ()],
        "landing_site": visit.get("landingPage"),
        "customer": customer(buyer) if buyer else None,
        "shipping_address": {
            "city": address.get("city"),
            "country_code": address.get("countryCodeV2"),
            "province_code": address.get("provinceCode"),
            "phone": address.get("phone"),
        },
        "line_items": list((node.get("lineItems") or {}).get("nodes") or ()),
        "fulfillments": [_parcel(one) for one in node.get("fulfillments") or ()],
        "refunds": [_refund(one) for one in node.get("refunds") or ()],
    }


def _consent(phone: Node) -> dict[str, Any]:
    return {
        "state": _lower(phone.get("marketingState")),
        "opt_in_level": _lower(phone.get("marketingOptInLevel")),
        "consent_updated_at": phone.get("marketingUpdatedAt"),
        "consent_collected_from": phone.get("marketingCollectedFrom"),
    }


def _parcel(node: Node) -> dict[str, Any]:
    tracking: Node = next(iter(node.get("trackingInfo") or ()), {})
    shown = node.get("displayStatus")
    return {
        "id": object_id(node["id"]),
        "status": _lower(node.get("status")),
        "shipment_status": None if shown == "FULFILLED" else _lower(shown),
        "created_at": node.get("createdAt"),
        "updated_at": node.get("updatedAt"),
        "estimated_delivery_at": node.get("estimatedDeliveryAt"),
        "tracking_company": tracking.get("company"),
        "tracking_number": tracking.get("number"),
        "tracking_url": tracking.get("url"),
    }


def _refund(node: Node) -> dict[str, Any]:
    paid = {"kind": "refund", "status": "success", "amount": _amount(node.get("totalRefundedSet"))}
    return {"id": object_id(node["id"]), "created_at": node.get("createdAt"), "transactions": [paid]}


def _amount(money: Node | None) -> str | None:
    return str(money["shopMoney"]["amount"]) if money else None


def _lower(word: object) -> str | None:
    return word.lower() if isinstance(word, str) else None
