"""Orders and abandoned checkouts in GraphQL."""

import json
from collections.abc import Mapping
from typing import Any

from app.sandbox.shopify.gids import number_of
from app.sandbox.shopify.graph import order_views
from app.sandbox.shopify.graph.asked import Asked, Info
from app.sandbox.shopify.graph.paging import Column, Listing, View, moment_column

SELECT = "SELECT id, updated_at, body FROM documents WHERE shop = ? AND kind = ?"
COLUMNS = {
    "updated_at": moment_column("updated_at"),
    "id": Column("id", int),
    "name": Column("json_extract(body, '$.name')"),
    "financial_status": Column("json_extract(body, '$.financial_status')"),
}
SORTS = {
    "ID": "id",
    "CREATED_AT": "id",
    "PROCESSED_AT": "id",
    "ORDER_NUMBER": "id",
    "UPDATED_AT": "updated_at",
}
LISTING = Listing(SELECT, COLUMNS, SORTS)
OF_CUSTOMER = Listing(f"{SELECT} AND json_extract(body, '$.customer_id') = ?", COLUMNS, SORTS)


def order(info: Info, id: str) -> View | None:
    """One of them, or null."""
    asked: Asked = info.context
    asked.require("read_orders")
    return by_number(asked, number_of("Order", id))


def orders(info: Info, **wish: Any) -> View:
    """A page of them."""
    asked: Asked = info.context
    asked.require("read_orders")
    return LISTING.page(asked.world.store.rows, (asked.shop.domain, "order"), _reader(asked), wish)


def of_customer(asked: Asked, customer: int, wish: Mapping[str, Any]) -> View:
    """A page of one customer's."""
    asked.require("read_orders")
    given = (asked.shop.domain, "order", customer)
    return OF_CUSTOMER.page(asked.world.store.rows, given, _reader(asked), wish)


def by_number(asked: Asked, number: int | None) -> View | None:
    """An order by its number."""
    body = asked.world.store.get(asked.shop.domain, "order", number) if number else None
    return view(asked, body) if body else None


def abandoned_checkouts(info: Info, **wish: Any) -> View:
    """Those that were not finished."""
    asked: Asked = info.context
    asked.require("read_orders")
    listing = Listing(f"{SELECT} AND json_extract(body, '$.completed_at') IS NULL", COLUMNS, SORTS)

    def read(row: Any) -> View:
        body = json.loads(row["body"])
        return {**order_views.checkout(body), "customer": _customer(body)}

    return listing.page(asked.world.store.rows, (asked.shop.domain, "checkout"), read, wish)


def view(asked: Asked, body: View) -> View:
    """An order with the way to its customer."""
    return {**order_views.order(body, asked.shop), "customer": _customer(body)}


def _reader(asked: Asked) -> Any:
    return lambda row: view(asked, json.loads(row["body"]))


def _customer(body: View) -> Any:
    number = body["customer_id"]

    def found(info: Info) -> View | None:
        asked: Asked = info.context
        return asked.customer_view(asked, number) if number else None

    return found


QUERY = {"order": order, "orders": orders, "abandonedCheckouts": abandoned_checkouts}
