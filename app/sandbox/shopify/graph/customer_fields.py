"""Customers as GraphQL shows them, and the one thing about them that the app may change."""

from typing import Any

from graphql import GraphQLError

from app.sandbox.shopify import customers as actions
from app.sandbox.shopify.clock import seconds_of, zulu
from app.sandbox.shopify.gids import gid, number_of
from app.sandbox.shopify.graph import order_fields
from app.sandbox.shopify.graph.asked import Asked, Info, refused
from app.sandbox.shopify.graph.paging import Column, Listing, conditions, moment_column
from app.sandbox.shopify.payloads import money
from app.sandbox.shopify.shops import Shop

LISTING = Listing(
    "SELECT * FROM customers WHERE shop = ?",
    {
        "updated_at": moment_column("updated_at"),
        "created_at": moment_column("created_at"),
        "id": Column("id", int),
        "phone": Column("phone"),
        "email": Column("email"),
    },
    {"ID": "id", "RELEVANCE": "id", "UPDATED_AT": "updated_at", "CREATED_AT": "created_at"},
)


def customer(info: Info, id: str) -> dict[str, Any] | None:
    """One of them, or null."""
    return by_number(info.context, number_of("Customer", id) or 0)


def by_number(asked: Asked, number: int) -> dict[str, Any] | None:
    """A customer by the number."""
    asked.require("read_customers")
    try:
        return view(actions.by_id(asked.world, asked.shop, number), asked.shop)
    except actions.NoSuchCustomer:
        return None


def customers(info: Info, **wish: Any) -> dict[str, Any]:
    """A page of them."""
    asked: Asked = info.context
    asked.require("read_customers")
    shop = asked.shop
    return LISTING.page(asked.world.store.rows, (shop.domain,), lambda row: view(row, shop), wish)


def customers_count(info: Info, query: str | None = None) -> dict[str, Any]:
    """How many there are."""
    asked: Asked = info.context
    asked.require("read_customers")
    clauses, values = conditions(query, LISTING.columns)
    where = "".join(f" AND {clause}" for clause in clauses)
    sql = f"SELECT count(*) AS times FROM customers WHERE shop = ?{where}"  # noqa: S608 -- known columns
    row = asked.world.store.rows(sql, (asked.shop.domain, *values))[0]
    return {"count": row["times"], "precision": "EXACT"}


def update_sms_consent(info: Info, input: dict[str, Any]) -> dict[str, Any]:
    """`customerSmsMarketingConsentUpdate`: the newest answer stays, and webhooks tell it like any other."""
    asked: Asked = info.context
    asked.require("write_customers")
    if asked.refusal:
        return _refusal(asked.refusal.message, asked.refusal.code)
    wish = input["smsMarketingConsent"]
    state, level = wish["marketingState"], wish.get("marketingOptInLevel") or "SINGLE_OPT_IN"
    if state in ("NOT_SUBSCRIBED", "REDACTED"):
        return _refusal(f"Cannot specify {state} as a marketing state input", "INVALID", "marketingState")
    now = asked.world.clock.now()
    try:
        at = seconds_of(wish["consentUpdatedAt"]) if wish.get("consentUpdatedAt") else now
    except ValueError as error:
        raise GraphQLError(f"consentUpdatedAt: {error}") from error
    if at > now + 1:  # one second of grace for a clock that is a little ahead
        return _refusal("Consent updated at must be in the past", "INVALID", "consentUpdatedAt")
    number = number_of("Customer", input["customerId"]) or 0
    return _set(asked, number, state, level, at)


def view(row: Any, shop: Shop) -> dict[str, Any]:
    """A customer as GraphQL shows it."""
    amount = {"amount": money(row["spent_cents"]), "currencyCode": shop.currency}
    name = " ".join(part for part in (row["first_name"], row["last_name"]) if part)
    return {
        "__typename": "Customer",
        "id": gid("Customer", row["id"]),
        "legacyResourceId": str(row["id"]),
        "firstName": row["first_name"],
        "lastName": row["last_name"],
        "displayName": name or row["email"] or row["phone"] or "",
        "locale": row["locale"],
        "email": row["email"],
        "phone": row["phone"],
        "defaultEmailAddress": _email(row),
        "defaultPhoneNumber": _phone(row),
        "smsMarketingConsent": _consent(row),
        "emailMarketingConsent": _email_consent(row),
        "defaultAddress": {
            "id": gid("MailingAddress", row["id"] + 1),
            "phone": row["phone"],
            "firstName": row["first_name"],
            "lastName": row["last_name"],
            "countryCodeV2": row["country"],
        },
        "tags": [tag.strip() for tag in (row["tags"] or "").split(",") if tag.strip()],
        "state": "DISABLED",
        "verifiedEmail": True,
        "numberOfOrders": str(row["orders_count"]),
        "amountSpent": amount,
        "lastOrder": lambda info: order_fields.by_number(info.context, row["last_order_id"]),
        "orders": lambda info, **wish: order_fields.of_customer(info.context, row["id"], wish),
        "createdAt": zulu(row["created_at"]),
        "updatedAt": zulu(row["updated_at"]),
    }


def _set(asked: Asked, number: int, state: str, level: str, at: int) -> dict[str, Any]:
    try:
        row = actions.set_consent(
            asked.world, asked.shop, number, state.lower(), level=level.lower(), at=at, collected_from="OTHER"
        )
    except actions.NoSuchCustomer:
        return _refusal("Customer not found", "INVALID", "customerId")
    except actions.BadWish as refusal:
        return _refusal(str(refusal), "MISSING_ARGUMENT", "smsMarketingConsent")
    return {"customer": view(row, asked.shop), "userErrors": []}


def _refusal(message: str, code: str, *field: str) -> dict[str, Any]:
    return {"customer": None, "userErrors": [refused(message, "input", *field, code=code)]}


def _email(row: Any) -> dict[str, Any] | None:
    if row["email"] is None:
        return None
    return {"emailAddress": row["email"], "marketingState": row["email_state"].upper()}


def _email_consent(row: Any) -> dict[str, Any] | None:
    if row["email"] is None:
        return None
    return {"marketingState": row["email_state"].upper(), "marketingOptInLevel": "SINGLE_OPT_IN"}


def _phone(row: Any) -> dict[str, Any] | None:
    consent = _consent(row)
    if consent is None:
        return None
    state, level = consent["marketingState"], consent["marketingOptInLevel"]
    at, source = consent["consentUpdatedAt"], consent["consentCollectedFrom"]
    return {
        "phoneNumber": row["phone"],
        "marketingState": state,
        "marketingOptInLevel": level,
        "marketingUpdatedAt": at,
        "marketingCollectedFrom": source,
        "smsMarketingConsent": {
            "state": state,
            "optInLevel": level,
            "updatedAt": at,
            "collectedFrom": source,
        },
    }


def _consent(row: Any) -> dict[str, Any] | None:
    if row["phone"] is None:
        return None
    return {
        "marketingState": (row["sms_state"] or "not_subscribed").upper(),
        "marketingOptInLevel": (row["sms_level"] or "unknown").upper(),
        "consentUpdatedAt": zulu(row["sms_at"]) if row["sms_at"] else None,
        "consentCollectedFrom": row["sms_from"],
    }


QUERY = {"customer": customer, "customers": customers, "customersCount": customers_count}
MUTATION = {"customerSmsMarketingConsentUpdate": update_sms_consent}
