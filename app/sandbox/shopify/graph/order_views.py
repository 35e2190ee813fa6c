"""Orders and checkouts as GraphQL shows them, read from their REST JSON."""

from app.sandbox.shopify.clock import seconds_of, zulu
from app.sandbox.shopify.gids import gid
from app.sandbox.shopify.graph.paging import View, page_of
from app.sandbox.shopify.payloads import cents, money
from app.sandbox.shopify.shops import Shop

FULFILMENT = {None: "UNFULFILLED", "partial": "PARTIALLY_FULFILLED", "fulfilled": "FULFILLED"}


def order(body: View, shop: Shop) -> View:
    """An order without its customer."""
    refunded = cents(body["total_price"]) - cents(body["current_total_price"])
    total, left = _money(body, body["total_price"]), _money(body, body["current_total_price"])
    codes = [one["code"] for one in body["discount_codes"]]
    return {
        "id": body["admin_graphql_api_id"],
        "legacyResourceId": str(body["id"]),
        "name": body["name"],
        "number": body["order_number"],
        "email": body["email"],
        "phone": body["phone"],
        **{_camel(name): _moment(body[name]) for name in _MOMENTS},
        "cancelReason": body["cancel_reason"].upper() if body["cancel_reason"] else None,
        "test": body["test"],
        "currencyCode": body["currency"],
        "totalPriceSet": total,
        "currentTotalPriceSet": left,
        "netPaymentSet": left,
        "subtotalPriceSet": _money(body, body["subtotal_price"]),
        "totalDiscountsSet": _money(body, body["total_discounts"]),
        "totalRefundedSet": _money(body, money(refunded)),
        "displayFinancialStatus": body["financial_status"].upper(),
        "displayFulfillmentStatus": FULFILMENT[body["fulfillment_status"]],
        "discountCode": codes[0] if codes else None,
        "discountCodes": codes,
        "customAttributes": [
            {"key": one["name"], "value": one.get("value")} for one in body["note_attributes"]
        ],
        "customerLocale": body["customer_locale"],
        "customerJourneySummary": _journey(body, shop),
        "shippingAddress": _address(body, body["shipping_address"]),
        "billingAddress": _address(body, body["billing_address"]),
        "sourceName": body["source_name"],
        "statusPageUrl": body["order_status_url"],
        "tags": [],
        "lineItems": lambda info, first=None, after=None: page_of(_items(body), first, after),
        "fulfillments": lambda info, first=None: [_fulfilment(one) for one in body["fulfillments"]][:first],
        "refunds": lambda info, first=None: [_refund(body, one) for one in body["refunds"]][:first],
    }


def checkout(body: View) -> View:
    """An abandoned checkout without its customer."""
    return {
        "id": gid("AbandonedCheckout", body["id"]),
        "name": body["name"],
        "abandonedCheckoutUrl": body["abandoned_checkout_url"],
        "completedAt": _moment(body["completed_at"]),
        "createdAt": _moment(body["created_at"]),
        "updatedAt": _moment(body["updated_at"]),
        "totalPriceSet": _money(body, body["total_price"]),
    }


_MOMENTS = ("created_at", "processed_at", "updated_at", "cancelled_at", "closed_at")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _moment(text: str | None) -> str | None:
    return zulu(seconds_of(text)) if text else None


def _money(body: View, amount: str) -> View:
    value = {"amount": amount, "currencyCode": body["currency"]}
    return {"shopMoney": value, "presentmentMoney": value}


def _journey(body: View, shop: Shop) -> View:
    visit = {
        "landingPage": f"https://{shop.domain}{body['landing_site']}",
        "referrerUrl": body["referring_site"] or None,
        "occurredAt": _moment(body["created_at"]),
    }
    return {"ready": True, "firstVisit": visit, "lastVisit": visit}


def _address(body: View, address: View | None) -> View | None:
    if address is None:
        return None
    return {
        "id": gid("MailingAddress", body["id"] + 1),
        "phone": address["phone"],
        "firstName": address["first_name"],
        "lastName": address["last_name"],
        "city": address["city"],
        "countryCodeV2": address["country_code"],
        "provinceCode": address["province_code"],
    }


def _items(body: View) -> list[View]:
    return [
        {
            "id": gid("LineItem", one["id"]),
            "title": one["title"],
            "quantity": one["quantity"],
            "sku": one["sku"],
            "originalUnitPriceSet": _money(body, one["price"]),
            "product": {
                "id": gid("Product", one["product_id"]),
                "title": one["title"],
                "handle": one["title"].lower().replace(" ", "-"),
            },
        }
        for one in body["line_items"]
    ]


def _fulfilment(one: View) -> View:
    is_there = one["shipment_status"] == "delivered"
    tracking = {
        "company": one["tracking_company"],
        "number": one["tracking_number"],
        "url": one["tracking_url"],
    }
    return {
        "id": one["admin_graphql_api_id"],
        "status": one["status"].upper(),
        "displayStatus": "DELIVERED" if is_there else "FULFILLED",
        "createdAt": _moment(one["created_at"]),
        "updatedAt": _moment(one["updated_at"]),
        "deliveredAt": _moment(one["updated_at"]) if is_there else None,
        "trackingInfo": lambda info, first=None: [tracking][:first],
    }


def _refund(body: View, one: View) -> View:
    amount = sum(cents(part["amount"]) for part in one["transactions"])
    return {
        "id": gid("Refund", one["id"]),
        "createdAt": _moment(one["created_at"]),
        "totalRefundedSet": _money(body, money(amount)),
    }
