"""What Shopify's events about orders, parcels and checkouts start. Steps of the inbox's transaction.

Each takes the object in by its own time and enters its contact under keys made of Shopify's ids, so events
may come twice, late and in any order.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.automations.models import Trigger
from app.automations.service.entering import enter, postpone
from app.automations.wording import enumerated
from app.core.errors import DomainError
from app.customers.service.matching import contact_of
from app.integrations.shopify.events import ShopifyEvent
from app.orders.models import Checkout, Fulfilment, Order
from app.orders.service import taking_in
from app.orders.service.payloads import (
    FulfilmentSeen,
    address_in,
    read_checkout,
    read_fulfilments,
    read_order,
    read_refund,
    words,
)

# Parcels of one order may be many; these are asked for or said once for each order.
AFTER_PARCEL = (Trigger.REVIEW_REQUEST, Trigger.CROSS_SELL, Trigger.REORDER_REMINDER)


class OrderNotKnownYet(DomainError):
    """A parcel or a refund came before its order: it is tried again."""

    code = "ORDER_NOT_KNOWN_YET"
    message = "The order has not been told of yet."


def order_changed(event: ShopifyEvent) -> str:
    """An order was placed, changed, cancelled or sent."""
    seen = read_order(event.payload)
    contact_id = _buyer(event, seen.country)
    order = taking_in.take_in_order(event.shop_id, seen, contact_id).order
    if order.contact_id is None:
        return "no_contact"
    if order.cancelled_at is None:
        enter(
            event.shop_id,
            Trigger.ORDER_PLACED,
            order.contact_id,
            event_key=f"order:{order.shopify_id}",
            occurred_at=order.placed_at,
            facts=_order_facts(order),
        )
    for parcel in read_fulfilments(
        {**event.payload, "fulfillments": event.payload.get("fulfillments") or []}
    ):
        _parcel(event.shop_id, parcel)
    return "applied"


def parcel_changed(event: ShopifyEvent) -> str:
    """A parcel was sent or is under way. Raises OrderNotKnownYet."""
    for seen in read_fulfilments({**event.payload, "fulfillments": None}):
        _parcel(event.shop_id, seen)
    return "applied"


def refunded(event: ShopifyEvent) -> str:
    """Money was paid back. Raises OrderNotKnownYet."""
    read = read_refund(event.payload)
    if read is None:
        return "no_order"
    if taking_in.take_in_refund(event.shop_id, *read) is None:
        raise OrderNotKnownYet
    return "applied"


def checkout_changed(event: ShopifyEvent) -> str:
    """A checkout was begun, goes on, or is completed."""
    if not event.payload.get("token"):
        return "no_checkout"
    seen = read_checkout(event.payload)
    contact_id = _buyer(event, _country(event.payload)) if _is_reachable(event.payload) else None
    checkout = taking_in.take_in_checkout(event.shop_id, seen, contact_id)
    if checkout.contact_id is None:
        return "no_contact"
    if checkout.completed_at is not None:
        return "completed"
    key, facts = f"checkout:{checkout.token}", _checkout_facts(checkout)
    last_seen = checkout.source_updated_at
    enter(
        event.shop_id,
        Trigger.CART_ABANDONED,
        checkout.contact_id,
        event_key=key,
        occurred_at=last_seen,
        facts=facts,
    )
    postpone(
        event.shop_id, Trigger.CART_ABANDONED, checkout.contact_id, event_key=key, to=last_seen, facts=facts
    )
    return "applied"


def _parcel(shop_id: int, seen: FulfilmentSeen) -> None:
    taken = taking_in.take_in_fulfilment(shop_id, seen)
    if taken is None:
        raise OrderNotKnownYet
    order, parcel = taken.order, taken.fulfilment
    if order.contact_id is None or parcel.status in {"cancelled", "error", "failure"}:
        return
    facts, key = _parcel_facts(order, parcel), f"fulfilment:{parcel.shopify_id}"

    def start(trigger: Trigger, event_key: str, at: datetime) -> None:
        contact_id = order.contact_id or 0
        enter(shop_id, trigger, contact_id, event_key=event_key, occurred_at=at, facts=facts)

    start(Trigger.ORDER_FULFILLED, key, parcel.fulfilled_at)
    if parcel.delivered_at is not None:
        start(Trigger.DELIVERY_CONFIRMATION, key, parcel.delivered_at)
    for trigger in AFTER_PARCEL:
        start(trigger, f"order:{order.shopify_id}", parcel.estimated_delivery_at or parcel.fulfilled_at)


def _buyer(event: ShopifyEvent, country: str | None) -> int | None:
    payload = event.payload
    phone = (
        words(payload.get("phone")) or words(payload.get("sms_marketing_phone")) or _address_phone(payload)
    )
    region = country if country and len(country) == 2 else None
    customer = payload.get("customer")
    given = customer if isinstance(customer, dict) else None
    return contact_of(event.shop_id, given, phone, words(payload.get("email")), region=region)


def _address_phone(payload: dict[str, Any]) -> str | None:
    return words(address_in(payload).get("phone"))


def _is_reachable(payload: dict[str, Any]) -> bool:
    return bool(
        payload.get("customer")
        or payload.get("phone")
        or payload.get("sms_marketing_phone")
        or payload.get("email")
    )


def _country(payload: dict[str, Any]) -> str | None:
    return words(address_in(payload).get("country_code"))


def _order_facts(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "values": {
            "order.name": order.name,
            "order.total": money(order.total_cents),
            "order.currency": order.currency,
            "order.items": enumerated(order.items),
            "order.codes": ", ".join(order.discount_codes),
            "order.city": order.city or "",
            "order.country": order.country or "",
            "product.title": order.items[0]["title"] if order.items else "",
        },
    }


def _parcel_facts(order: Order, parcel: Fulfilment) -> dict[str, Any]:
    facts = _order_facts(order)
    expected = parcel.estimated_delivery_at
    facts["values"] |= {
        "tracking.number": parcel.tracking_number or "",
        "tracking.company": parcel.tracking_company or "",
        "tracking.expected": f"{expected:%B} {expected.day}, {expected.year}" if expected else "",
    }
    return {**facts, "links": {"tracking.url": parcel.tracking_url} if parcel.tracking_url else {}}


def _checkout_facts(checkout: Checkout) -> dict[str, Any]:
    return {
        "checkout_id": checkout.id,
        "since": checkout.started_at.isoformat(),
        "is_single_item": len(checkout.items) == 1,
        "values": {
            "order.items": enumerated(checkout.items),
            "order.codes": ", ".join(checkout.discount_codes),
            "checkout.subtotal": money(checkout.subtotal_cents)
            if checkout.subtotal_cents is not None
            else "",
        },
        "links": {"checkout.url": checkout.url} if checkout.url else {},
    }


def money(cents: int) -> str:
    """`4990` as `49.90`."""
    return f"{cents // 100}.{cents % 100:02d}"
