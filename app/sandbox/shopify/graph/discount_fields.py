"""Discounts in GraphQL."""

import json
from typing import Any

from graphql import GraphQLError

from app.sandbox.shopify import discounts
from app.sandbox.shopify.clock import seconds_of, zulu
from app.sandbox.shopify.gids import gid, number_of
from app.sandbox.shopify.graph.asked import Asked, Info, refused
from app.sandbox.shopify.graph.paging import (
    Column,
    Listing,
    View,
    connection,
    moment_column,
    page_of,
    page_size,
    place_of,
)
from app.sandbox.shopify.payloads import cents, money
from app.sandbox.shopify.shops import BadWish

CODES_MAX = 250
BULK = "code bulk"
COLUMNS = {
    "updated_at": moment_column("updated_at"),
    "id": Column("id", int),
    "title": Column("json_extract(body, '$.title')"),
}
SORTS = {"ID": "id", "CREATED_AT": "id", "UPDATED_AT": "updated_at"}
SELECT = "SELECT id, updated_at, body FROM documents WHERE shop = ? AND kind = 'discount'"
STATUS = {
    "active": "AND json_extract(body, '$.starts_at') <= {now}"
    " AND ifnull(json_extract(body, '$.ends_at'), 9e18) > {now}",
    "expired": "AND json_extract(body, '$.ends_at') <= {now}",
    "scheduled": "AND json_extract(body, '$.starts_at') > {now}",
}


def node(info: Info, id: str) -> View | None:
    """One of them, or null."""
    asked: Asked = info.context
    asked.require("read_discounts")
    body = asked.world.store.get(asked.shop.domain, "discount", number_of("DiscountCodeNode", id) or 0)
    return view(asked, body) if body else None


def by_code(info: Info, code: str) -> View | None:
    """The discount of a code, in capitals or not; or null."""
    asked: Asked = info.context
    asked.require("read_discounts")
    row = discounts.find(asked.world, asked.shop, code)
    body = asked.world.store.get(asked.shop.domain, "discount", row["discount_id"]) if row else None
    return view(asked, body) if body else None


def nodes(info: Info, query: str | None = None, **wish: Any) -> View:
    """A page of them. `query` knows `status:active|expired|scheduled` besides the columns."""
    asked: Asked = info.context
    asked.require("read_discounts")
    select, rest = SELECT, []
    for term in (query or "").split():
        name, _, value = term.partition(":")
        if name == "status" and value in STATUS:
            select = f"{select} {STATUS[value].format(now=asked.world.clock.now())}"
        else:
            rest.append(term)
    listing = Listing(select, COLUMNS, SORTS)
    read = _reader(asked)
    return listing.page(asked.world.store.rows, (asked.shop.domain,), read, {**wish, "query": " ".join(rest)})


def create(info: Info, basicCodeDiscount: dict[str, Any]) -> View:  # noqa: N803 -- Shopify's name
    """Needs title, code, startsAt, customerGets, and context (or customerSelection)."""
    asked: Asked = info.context
    asked.require("write_discounts")
    wish = basicCodeDiscount
    if trouble := _trouble(asked, wish):
        return {"codeDiscountNode": None, "userErrors": trouble}
    value = wish["customerGets"]["value"]
    amount = (value.get("discountAmount") or {}).get("amount")
    try:
        body = discounts.create(
            asked.world,
            asked.shop,
            wish["code"],
            title=wish["title"],
            percentage=value.get("percentage"),
            amount=None if amount is None else money(cents(amount)),
            starts_at=seconds_of(wish["startsAt"]),
            ends_at=seconds_of(wish["endsAt"]) if wish.get("endsAt") else None,
            usage_limit=wish.get("usageLimit"),
            once=bool(wish.get("appliesOncePerCustomer")),
        )
    except BadWish as refusal:
        trouble = [refused(str(refusal), "basicCodeDiscount", "code", code="TAKEN")]
        return {"codeDiscountNode": None, "userErrors": trouble}
    except ValueError as error:
        raise GraphQLError(str(error)) from error
    return {"codeDiscountNode": view(asked, body), "userErrors": []}


def deactivate(info: Info, id: str) -> View:
    """It ends now."""
    asked: Asked = info.context
    asked.require("write_discounts")
    body = discounts.deactivate(asked.world, asked.shop, number_of("DiscountCodeNode", id) or 0)
    if body is None:
        trouble = refused("Code discount does not exist.", "id", code="INVALID")
        return {"codeDiscountNode": None, "userErrors": [trouble]}
    return {"codeDiscountNode": view(asked, body), "userErrors": []}


def add_codes(info: Info, discountId: str, codes: list[dict[str, str]]) -> View:  # noqa: N803
    """At most 250 a call. As at Shopify it is not done yet; `discountRedeemCodeBulkCreation` tells."""
    asked: Asked = info.context
    asked.require("write_discounts")
    number = number_of("DiscountCodeNode", discountId) or 0
    trouble = None
    if asked.refusal:
        trouble = refused(asked.refusal.message, "codes", code=asked.refusal.code)
    elif not 1 <= len(codes) <= CODES_MAX:
        trouble = refused(f"Codes must have between 1 and {CODES_MAX} entries.", "codes", code="INVALID")
    elif asked.world.store.get(asked.shop.domain, "discount", number) is None:
        trouble = refused("Code discount does not exist.", "discountId", code="INVALID")
    if trouble:
        return {"bulkCreation": None, "userErrors": [trouble]}
    words = [one["code"] for one in codes]
    taken = discounts.add_codes(asked.world, asked.shop, number, words)
    creation = asked.world.store.take_numbers("DiscountRedeemCodeBulkCreation")
    now = asked.world.clock.now()
    body = {"id": creation, "discount_id": number, "codes": words, "taken": taken, "created_at": now}
    asked.world.store.put(asked.shop.domain, BULK, creation, body, at=now)
    unfinished = {"done": False, "importedCount": 0, "failedCount": 0}
    return {"bulkCreation": {**_creation(asked, body), **unfinished}, "userErrors": []}


def creation(info: Info, id: str) -> View | None:
    """What became of added codes."""
    asked: Asked = info.context
    asked.require("read_discounts")
    number = number_of("DiscountRedeemCodeBulkCreation", id) or 0
    body = asked.world.store.get(asked.shop.domain, BULK, number)
    return _creation(asked, body) if body else None


def view(asked: Asked, body: View) -> View:
    """A discount as GraphQL shows it; a percentage is a fraction."""
    given = (asked.shop.domain, body["id"])
    counted = asked.world.store.rows(discounts.COUNT, given)[0]
    summary = _summary(body, asked.shop.currency)
    discount = {
        "__typename": body["type"],
        "title": body["title"],
        "status": discounts.status(body, asked.world.clock.now()),
        "summary": summary,
        "shortSummary": summary,
        "startsAt": zulu(body["starts_at"]),
        "endsAt": zulu(body["ends_at"]) if body["ends_at"] is not None else None,
        "usageLimit": body["usage_limit"],
        "appliesOncePerCustomer": body["once"],
        "asyncUsageCount": counted["used"] or 0,
        "codesCount": {"count": counted["codes"], "precision": "EXACT"},
        "customerGets": _gets(body, asked.shop.currency),
        "codes": lambda info, first=None, after=None: _codes(asked, body["id"], first, after),
        "createdAt": zulu(body["created_at"]),
        "updatedAt": zulu(body["updated_at"]),
    }
    return {"id": gid("DiscountCodeNode", body["id"]), "codeDiscount": discount}


def _reader(asked: Asked) -> Any:
    return lambda row: view(asked, json.loads(row["body"]))


def _codes(asked: Asked, number: int, first: int | None, after: str | None) -> View:
    size = page_size(first)
    place = int(place_of(after)[0]) if after else 0
    rows = asked.world.store.rows(discounts.CODES, (asked.shop.domain, number, place, size + 1))
    return connection([((row["id"],), _code(row)) for row in rows], size, after)


def _code(row: Any) -> View:
    return {"id": gid("DiscountRedeemCode", row["id"]), "code": row["code"], "asyncUsageCount": row["used"]}


def _gets(body: View, currency: str) -> View:
    value: View = {"__typename": "DiscountPercentage", "percentage": body["percentage"] or 0.0}
    if body["amount"] is not None:
        amount = {"amount": body["amount"], "currencyCode": currency}
        value = {"__typename": "DiscountAmount", "amount": amount, "appliesOnEachItem": False}
    items = {"__typename": "AllDiscountItems", "allItems": True}
    return {"value": value, "items": items, "appliesOnOneTimePurchase": True}


def _summary(body: View, currency: str) -> str:
    if body["type"] == "DiscountCodeFreeShipping":
        return "Free shipping"
    if body["type"] == "DiscountCodeBxgy":
        return "Buy one, get one"
    if body["amount"] is not None:
        return f"{body['amount']} {currency} off entire order"
    return f"{(body['percentage'] or 0) * 100:g}% off entire order"


def _creation(asked: Asked, body: View) -> View:
    taken = set(body["taken"])
    codes = [
        {
            "code": code,
            "discountRedeemCode": None
            if code in taken
            else _code(discounts.find(asked.world, asked.shop, code)),
            "errors": [refused("Code has already been taken.", "code", code="TAKEN")]
            if code in taken
            else [],
        }
        for code in body["codes"]
    ]
    discount = asked.world.store.get(asked.shop.domain, "discount", body["discount_id"])
    return {
        "id": gid("DiscountRedeemCodeBulkCreation", body["id"]),
        "done": True,
        "codesCount": len(codes),
        "importedCount": len(codes) - len(taken),
        "failedCount": len(taken),
        "createdAt": zulu(body["created_at"]),
        "discountCode": view(asked, discount) if discount else None,
        "codes": lambda info, first=None, after=None: page_of(codes, first, after),
    }


def _trouble(asked: Asked, wish: dict[str, Any]) -> list[View]:
    if asked.refusal:
        return [refused(asked.refusal.message, "basicCodeDiscount", code=asked.refusal.code)]
    found = [
        refused(f"{name} can't be blank", "basicCodeDiscount", name, code="BLANK")
        for name in ("title", "code", "startsAt", "customerGets")
        if not wish.get(name)
    ]
    if not wish.get("context") and not wish.get("customerSelection"):
        found.append(refused("Context can't be blank", "basicCodeDiscount", "context", code="BLANK"))
    value = (wish.get("customerGets") or {}).get("value") or {}
    percentage = value.get("percentage")
    if percentage is not None and not 0 < percentage <= 1:
        field = ("basicCodeDiscount", "customerGets", "value", "percentage")
        found.append(refused("Value must be between 0.0 and 1.0", *field, code="VALUE_OUTSIDE_RANGE"))
    if not value:
        found.append(refused("Value can't be blank", "basicCodeDiscount", "customerGets", code="BLANK"))
    return found


QUERY = {
    "codeDiscountNode": node,
    "codeDiscountNodeByCode": by_code,
    "codeDiscountNodes": nodes,
    "discountRedeemCodeBulkCreation": creation,
}
MUTATION = {
    "discountCodeBasicCreate": create,
    "discountCodeDeactivate": deactivate,
    "discountRedeemCodeBulkAdd": add_codes,
}
