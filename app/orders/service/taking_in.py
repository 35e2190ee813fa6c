"""Taking in what Shopify tells of orders, parcels and checkouts. All steps.

Events come late, twice and in any order: an object's own `updated_at` decides which of two states is newer,
and what is no newer changes nothing, so the same states end in the same rows whatever their order. Two
workers that take in the same new object collide on its unique key; the later one fails and is tried again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from app.contacts import purchases
from app.core.cache import changed
from app.core.settings import settings
from app.core.uow import require_unit_of_work
from app.messaging.link_tokens import read_token
from app.orders import queries
from app.orders.models import Checkout, Fulfilment, Order
from app.orders.service import attributing
from app.orders.service.payloads import CheckoutSeen, FulfilmentSeen, OrderSeen

Counted = tuple[int, datetime]  # contact id, placed at
# What a state says that is not simply kept as it is, and so is no part of what two states are compared by.
KEPT_APART = frozenset(
    {"updated_at", "refunds", "shopify_id", "order_shopify_id", "click_tokens", "completed_at"}
)


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
    """Keep the order once, by its Shopify id; its contact counts it once, while it is not cancelled."""
    session = require_unit_of_work()
    order = queries.order_by_shopify_id(shop_id, seen.shopify_id)
    is_new = order is None
    counted, was_of = (None, None) if order is None else (_counted(order), order.contact_id)
    if order is None:
        order = Order(shop_id=shop_id, shopify_id=seen.shopify_id, contact_id=None, refunds={})
        session.add(order)
    is_newer = is_new or _is_newer(order, seen)
    if is_newer:
        _write(order, seen)
    if order.clicked_message_id is None:
        order.clicked_message_id = _clicked_message(seen)
    _add_refunds(order, seen.refunds)
    _name_contact(order, seen.updated_at, contact_id)
    session.flush()
    _count(shop_id, counted, _counted(order))
    attributing.attribute(shop_id, order, anew=is_newer or order.contact_id != was_of)
    return TakenOrder(order, is_new)


def take_in_refund(shop_id: int, order_shopify_id: int, refunds: Mapping[str, int]) -> Order | None:
    """Note what was paid back, once by refund id; None when the order is not known (yet)."""
    order = queries.order_by_shopify_id(shop_id, order_shopify_id)
    if order is not None:
        _add_refunds(order, refunds)
        changed(shop_id, "figures")
    return order


def take_in_fulfilment(shop_id: int, seen: FulfilmentSeen) -> TakenFulfilment | None:
    """Keep the parcel once, by its Shopify id; None when its order is not known (yet).

    It arrived when the first word of it says so, whichever word comes first.
    """
    session = require_unit_of_work()
    order = queries.order_by_shopify_id(shop_id, seen.order_shopify_id)
    if order is None:
        return None
    parcel = queries.fulfilment_by_shopify_id(shop_id, seen.shopify_id)
    is_new = parcel is None
    if parcel is None:
        parcel = Fulfilment(shop_id=shop_id, shopify_id=seen.shopify_id, order_id=order.id, delivered_at=None)
        session.add(parcel)
    if is_new or _is_newer(parcel, seen):
        _write(parcel, seen)
    had_arrived = parcel.delivered_at is not None
    if seen.is_delivered:
        parcel.delivered_at = min(seen.updated_at, parcel.delivered_at or seen.updated_at)
    session.flush()
    return TakenFulfilment(parcel, order, is_new, has_arrived=seen.is_delivered and not had_arrived)


def take_in_checkout(shop_id: int, seen: CheckoutSeen, contact_id: int | None) -> Checkout:
    """Keep the checkout once, by its token. Once it was completed it stays so, since the first word of it."""
    session = require_unit_of_work()
    checkout = queries.checkout_by_token(shop_id, seen.token)
    completions = [seen.completed_at, checkout.completed_at if checkout else None]
    if checkout is None:
        checkout = Checkout(shop_id=shop_id, contact_id=None)
        _write(checkout, seen)
        session.add(checkout)
    elif _is_newer(checkout, seen):
        _write(checkout, seen)
    checkout.completed_at = min((at for at in completions if at), default=None)
    _name_contact(checkout, seen.updated_at, contact_id)
    session.flush()
    return checkout


def _is_newer(row: Any, seen: Any) -> bool:
    """Whether `seen` replaces what is kept.

    Shopify's times have whole seconds, so two states may share one: then the same one wins whichever comes
    first, and it does not matter which.
    """
    if seen.updated_at != row.source_updated_at:
        return bool(seen.updated_at > row.source_updated_at)
    columns = _columns(seen)
    return _rank(columns) > _rank({name: getattr(row, name) for name in columns})


def _columns(seen: Any) -> dict[str, Any]:
    """What a state says, by the columns that keep it as it is."""
    columns = {name: value for name, value in asdict(seen).items() if name not in KEPT_APART}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in columns.items()}


def _rank(columns: Mapping[str, Any]) -> str:
    # "1" before everything else: of two states of one second the cancelled one is the later one.
    progress = "1" if columns.get("cancelled_at") else "0"
    instants = {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value
        for name, value in columns.items()
    }
    return progress + json.dumps(instants, default=str, sort_keys=True)


def _write(row: Any, seen: Any) -> None:
    for name, value in _columns(seen).items():
        setattr(row, name, value)
    row.source_updated_at = seen.updated_at


def _name_contact(row: Order | Checkout, as_of: datetime, contact_id: int | None) -> None:
    """The newest state that names a contact decides whose it is; one that names nobody changes nothing."""
    if contact_id is None:
        return
    if row.contact_as_of is None or (as_of, contact_id) > (row.contact_as_of, row.contact_id or 0):
        row.contact_id, row.contact_as_of = contact_id, as_of


def _clicked_message(seen: OrderSeen) -> int | None:
    """The message whose link the buyer came by; tokens that we did not make say nothing."""
    named = (read_token(token, *settings().link_secrets) for token in seen.click_tokens)
    return max((one.message_id for one in named if one), default=None)


def _add_refunds(order: Order, refunds: Mapping[str, int]) -> None:
    known = {**(order.refunds or {})}
    merged = {**known, **{key: max(paid, known.get(key, 0)) for key, paid in refunds.items()}}
    if merged != known:
        order.refunds = merged
        order.refunded_cents = sum(merged.values())


def _counted(order: Order) -> Counted | None:
    """For whom an order counts, and when it was placed; None while it counts for nobody."""
    if order.contact_id is None or order.cancelled_at is not None:
        return None
    return order.contact_id, order.placed_at


def _count(shop_id: int, before: Counted | None, after: Counted | None) -> None:
    """Keep the contacts' own counts of orders in step. The rows are written already."""
    if before == after:
        return
    if before:
        purchases.take_turn(shop_id, before[0])
        first_at, last_at = queries.first_and_last(shop_id, before[0])
        purchases.take_back_order(shop_id, before[0], first_at=first_at, last_at=last_at)
    if after:
        purchases.record_order(shop_id, *after)
