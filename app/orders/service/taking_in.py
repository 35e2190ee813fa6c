"""Taking in what Shopify tells of orders, parcels and checkouts. All steps.

Events come late, twice and in any order: an object's own `updated_at` decides which of two states is newer,
and what is no newer changes nothing. Two workers that take in the same new object collide on its unique key;
the later one fails and is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.contacts import purchases
from app.core.uow import require_unit_of_work
from app.orders import queries
from app.orders.models import Checkout, Fulfilment, Order
from app.orders.service.payloads import CheckoutSeen, FulfilmentSeen, OrderSeen


@dataclass(frozen=True)
class TakenOrder:
    """An order as it is kept now. `is_new`: nobody had told of it before."""

    order: Order
    is_new: bool


@dataclass(frozen=True)
class TakenFulfilment:
    """A parcel as it is kept now. `has_arrived`: this event is the first to say so."""

    fulfilment: Fulfilment
    order: Order
    is_new: bool
    has_arrived: bool


def take_in_order(shop_id: int, seen: OrderSeen, contact_id: int | None) -> TakenOrder:
    """Keep the order once, by its Shopify id; the contact counts it once."""
    session = require_unit_of_work()
    order = queries.order_by_shopify_id(shop_id, seen.shopify_id)
    is_new = order is None
    if order is None:
        order = Order(shop_id=shop_id, shopify_id=seen.shopify_id, contact_id=None, refunds={})
        _write(order, seen)
        session.add(order)
        session.flush()
    was_counted = order.contact_id is not None and order.cancelled_at is None and not is_new
    if not is_new and seen.updated_at > order.source_updated_at:
        _write(order, seen)
    _add_refunds(order, seen.refunds)
    if order.contact_id is None and contact_id is not None:
        order.contact_id = contact_id
    session.flush()
    _count(shop_id, order, was_counted=was_counted)
    return TakenOrder(order, is_new)


def take_in_refund(shop_id: int, order_shopify_id: int, refunds: Mapping[str, int]) -> Order | None:
    """Note what was paid back, once by refund id; None when the order is not known (yet)."""
    order = queries.order_by_shopify_id(shop_id, order_shopify_id)
    if order is not None:
        _add_refunds(order, refunds)
    return order


def take_in_fulfilment(shop_id: int, seen: FulfilmentSeen) -> TakenFulfilment | None:
    """Keep the parcel once, by its Shopify id; None when its order is not known (yet)."""
    session = require_unit_of_work()
    order = queries.order_by_shopify_id(shop_id, seen.order_shopify_id)
    if order is None:
        return None
    parcel = queries.fulfilment_by_shopify_id(shop_id, seen.shopify_id)
    is_new = parcel is None
    if parcel is None:
        parcel = Fulfilment(shop_id=shop_id, shopify_id=seen.shopify_id, order_id=order.id, delivered_at=None)
        session.add(parcel)
    had_arrived = parcel.delivered_at is not None
    if is_new or seen.updated_at > parcel.source_updated_at:
        _write(parcel, seen, leave=("order_shopify_id",))
    if seen.is_delivered and not had_arrived:
        parcel.delivered_at = seen.updated_at
    session.flush()
    return TakenFulfilment(parcel, order, is_new, has_arrived=seen.is_delivered and not had_arrived)


def take_in_checkout(shop_id: int, seen: CheckoutSeen, contact_id: int | None) -> Checkout:
    """Keep the checkout once, by its token. Once it was completed it stays so."""
    session = require_unit_of_work()
    checkout = queries.checkout_by_token(shop_id, seen.token)
    if checkout is None:
        checkout = Checkout(shop_id=shop_id)
        _write(checkout, seen)
        session.add(checkout)
    elif seen.updated_at > checkout.source_updated_at:
        completed_at = checkout.completed_at
        _write(checkout, seen)
        checkout.completed_at = completed_at or seen.completed_at
    else:
        checkout.completed_at = checkout.completed_at or seen.completed_at
    if contact_id is not None:
        checkout.contact_id = contact_id
    session.flush()
    return checkout


def _write(row: Any, seen: Any, leave: tuple[str, ...] = ()) -> None:
    for name, value in asdict(seen).items():
        if name == "updated_at":
            row.source_updated_at = value
        elif name not in (*leave, "refunds", "shopify_id"):
            setattr(row, name, list(value) if isinstance(value, tuple) else value)


def _add_refunds(order: Order, refunds: Mapping[str, int]) -> None:
    known = {**(order.refunds or {})}
    merged = {**known, **{key: max(paid, known.get(key, 0)) for key, paid in refunds.items()}}
    if merged != known:
        order.refunds = merged
        order.refunded_cents = sum(merged.values())


def _count(shop_id: int, order: Order, *, was_counted: bool) -> None:
    """Keep the contact's own count of orders in step: cancelled orders do not count."""
    if order.contact_id is None:
        return
    counts = order.cancelled_at is None
    if counts and not was_counted:
        purchases.record_order(shop_id, order.contact_id, order.placed_at)
    elif was_counted and not counts:
        purchases.take_back_order(shop_id, order.contact_id)
