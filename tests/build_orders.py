"""Builders of what Shopify says about orders, parcels and checkouts, and of what is kept of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.core.uow import unit_of_work
from app.orders.service import taking_in
from app.orders.service.payloads import read_checkout, read_fulfilments, read_order, read_refund
from app.orders.service.taking_in import TakenOrder
from app.shops.models import Shop
from tests.build_messages import execute

OURS = ("id", "order_id", "created_at", "updated_at", "decided_at")
KEYS = {
    "orders": "shopify_id",
    "fulfilments": "shopify_id",
    "checkouts": "token",
    "order_attributions": "order_id",
}
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(seconds: float) -> str:
    """So many seconds after noon of the day of these tests, as Shopify writes it."""
    return (NOON + timedelta(seconds=seconds)).isoformat()


def order(shopify_id: int = 1, seconds: float = 0, **columns: Any) -> dict[str, Any]:
    """An order of 49.90 EUR as it was so many seconds after it was placed at noon."""
    return {
        "id": shopify_id,
        "name": f"#{1000 + shopify_id}",
        "created_at": at(0),
        "updated_at": at(seconds),
        "currency": "EUR",
        "total_price": "49.90",
        "financial_status": "paid",
        "line_items": [{"title": "Soap", "quantity": 1}],
        **columns,
    }


def refund(refund_id: int, amount: str, order_id: int = 1) -> dict[str, Any]:
    """Money that was paid back."""
    paid = {"kind": "refund", "status": "success", "amount": amount}
    return {"id": refund_id, "order_id": order_id, "created_at": at(0), "transactions": [paid]}


def take_order(shop: Shop, contact_id: int | None = None, **columns: Any) -> TakenOrder:
    """Let the shop take in an order."""
    with unit_of_work(shop.id):
        return taking_in.take_in_order(shop.id, read_order(order(**columns)), contact_id)


def take(shop: Shop, kind: str, payload: dict[str, Any], contact_id: int | None = None) -> bool:
    """Let the shop take in what was posted; whether it could: a parcel needs its order."""
    with unit_of_work(shop.id):
        if kind == "order":
            taking_in.take_in_order(shop.id, read_order(payload), contact_id)
        elif kind == "refund":
            read = read_refund(payload)
            return read is None or taking_in.take_in_refund(shop.id, *read) is not None
        elif kind == "parcel":
            return all(taking_in.take_in_fulfilment(shop.id, seen) for seen in read_fulfilments(payload))
        else:
            taking_in.take_in_checkout(shop.id, read_checkout(payload), contact_id)
    return True


def kept(shop: Shop) -> dict[str, Any]:
    """All rows about orders, without what only says when we wrote them; and the contacts' own counts."""
    rows = {
        table: [
            {name: value for name, value in row.row.items() if name not in OURS}
            for row in execute(shop, f"SELECT to_jsonb(t) AS row FROM {table} t ORDER BY {key}")
        ]
        for table, key in KEYS.items()
    }
    counts = "SELECT id, orders_count, first_order_at, last_order_at FROM contacts ORDER BY id"
    return {**rows, "contacts": [tuple(row) for row in execute(shop, counts)]}
