"""Orders from placing to refunding, and what the app is told of each step.

Webhooks of one step share an event id. Order JSON is that of the REST API; `customer` is added on leaving.
"""

import uuid
from typing import Any

from app.sandbox.shopify import customers, discounts, payloads
from app.sandbox.shopify.clock import local
from app.sandbox.shopify.gids import gid
from app.sandbox.shopify.payloads import Payload, cents, money
from app.sandbox.shopify.shops import BadWish, Shop
from app.sandbox.shopify.state import Shopify

KIND = "order"
SPEND = """
UPDATE customers SET orders_count = orders_count + ?, spent_cents = spent_cents + ?,
       last_order_id = coalesce(?, last_order_id), updated_at = max(?, updated_at)
WHERE shop = ? AND id = ?
"""
DEFAULT_ITEMS = ({"title": "Olive oil soap", "quantity": 1, "price": "49.90"},)
WISHES = {
    *("customer_id", "phone", "email", "items", "discount_codes", "checkout_token", "cart_token", "at"),
    *(
        "landing_site",
        "referring_site",
        "note_attributes",
        "financial_status",
        "test",
        "source_name",
        "currency",
    ),
}


class NoSuchOrder(LookupError):
    """The shop has no such order."""


def by_id(world: Shopify, shop: Shop, number: int) -> Payload:
    """An order as it is kept. Raises NoSuchOrder."""
    found = world.store.get(shop.domain, KIND, number)
    if found is None:
        raise NoSuchOrder(number)
    return found


def place(world: Shopify, shop: Shop, wish: dict[str, Any]) -> Payload:
    """Somebody buys: `orders/create`, and `orders/paid` unless `financial_status` says otherwise.

    `wish`: any of WISHES. `at` (seconds) back-dates it. `discount_codes` are codes of the shop.
    """
    order, event = keep_new(world, shop, wish), str(uuid.uuid4())
    tell(world, shop, "orders/create", order, event)
    if order["financial_status"] == "paid":
        tell(world, shop, "orders/paid", order, event)
    return shown(world, shop, order)


def keep_new(world: Shopify, shop: Shop, wish: dict[str, Any]) -> Payload:
    """Write a new order down without telling anybody."""
    if unknown := set(wish) - WISHES:
        raise BadWish(f"an order has no {', '.join(sorted(unknown))}")
    buyer = customers.by_id(world, shop, int(wish["customer_id"])) if wish.get("customer_id") else None
    at = int(wish.get("at") or world.clock.now())
    with world.store.changing():
        number = world.store.take_numbers("Order")
        items = line_items(world, wish.get("items") or DEFAULT_ITEMS)
        subtotal = sum(cents(item["price"]) * item["quantity"] for item in items)
        codes = discounts.used(world, shop, wish.get("discount_codes") or [], subtotal)
        off = min(subtotal, sum(cents(code["amount"]) for code in codes))
        order = {
            **_identity(world, shop, number, at, buyer, wish),
            "currency": wish.get("currency") or shop.currency,
            "subtotal_price": money(subtotal - off),
            "total_discounts": money(off),
            "total_price": money(subtotal - off),
            "current_total_price": money(subtotal - off),
            "financial_status": wish.get("financial_status") or "paid",
            "fulfillment_status": None,
            "discount_codes": codes,
            "line_items": items,
            "fulfillments": [],
            "refunds": [],
        }
        world.store.put(shop.domain, KIND, number, order, at=at)
        if buyer is not None:
            spent = (1, subtotal - off, number, at, shop.domain, buyer["id"])
            world.store.run(SPEND, spent)
    return order


def fulfil(world: Shopify, shop: Shop, number: int, *, partial: bool = False) -> Payload:
    """A parcel leaves: `fulfillments/create`, `orders/[partially_]fulfilled` and `orders/updated`."""
    order = by_id(world, shop, number)
    if order["fulfillment_status"] == "fulfilled" or order["cancelled_at"]:
        raise BadWish("There is nothing left to send.")
    fulfilment = _fulfilment(world, shop, order)
    order["fulfillments"].append(fulfilment)
    order["fulfillment_status"] = "partial" if partial else "fulfilled"
    event = _keep(world, shop, order)
    world.emitter.emit(shop.domain, "fulfillments/create", fulfilment, event)
    tell(world, shop, "orders/partially_fulfilled" if partial else "orders/fulfilled", order, event)
    tell(world, shop, "orders/updated", order, event)
    return shown(world, shop, order)


def deliver(world: Shopify, shop: Shop, number: int) -> Payload:
    """The parcel arrives: `fulfillment_events/create` and `fulfillments/update`."""
    order = by_id(world, shop, number)
    if not order["fulfillments"]:
        raise BadWish("It was not sent yet.")
    now = local(world.clock.now(), shop.timezone)
    fulfilment = order["fulfillments"][-1]
    fulfilment.update(shipment_status="delivered", updated_at=now)
    event = _keep(world, shop, order)
    happened = {
        "id": world.store.take_numbers("FulfillmentEvent"),
        "fulfillment_id": fulfilment["id"],
        "order_id": number,
        "shop_id": shop.id,
        "status": "delivered",
        "country": shop.country,
        **dict.fromkeys(("happened_at", "created_at", "updated_at"), now),
    }
    world.emitter.emit(shop.domain, "fulfillment_events/create", happened, event)
    world.emitter.emit(shop.domain, "fulfillments/update", fulfilment, event)
    return shown(world, shop, order)


def refund(world: Shopify, shop: Shop, number: int, amount: str | None = None) -> Payload:
    """Money goes back, all that is left or `amount`: `refunds/create` and `orders/updated`."""
    order = by_id(world, shop, number)
    left = cents(order["current_total_price"])
    back = left if amount is None else cents(amount)
    if not 0 < back <= left:
        raise BadWish(f"{order['current_total_price']} is left to refund.")
    done = {
        "id": world.store.take_numbers("Refund"),
        "order_id": number,
        "created_at": local(world.clock.now(), shop.timezone),
        "note": None,
        "refund_line_items": [],
        "transactions": [
            {"kind": "refund", "status": "success", "amount": money(back), "currency": order["currency"]}
        ],
    }
    order["refunds"].append(done)
    order["current_total_price"] = money(left - back)
    order["financial_status"] = "refunded" if back == left else "partially_refunded"
    event = _keep(world, shop, order)
    if order["customer_id"]:
        given_back = (0, -back, None, world.clock.now(), shop.domain, order["customer_id"])
        world.store.run(SPEND, given_back)
    world.emitter.emit(shop.domain, "refunds/create", done, event)
    tell(world, shop, "orders/updated", order, event)
    return shown(world, shop, order)


def cancel(world: Shopify, shop: Shop, number: int, reason: str = "customer") -> Payload:
    """The order is called off: `orders/cancelled` and `orders/updated`."""
    order = by_id(world, shop, number)
    if order["cancelled_at"]:
        raise BadWish("It is cancelled already.")
    order.update(cancelled_at=local(world.clock.now(), shop.timezone), cancel_reason=reason)
    event = _keep(world, shop, order)
    tell(world, shop, "orders/cancelled", order, event)
    tell(world, shop, "orders/updated", order, event)
    return shown(world, shop, order)


def tell(world: Shopify, shop: Shop, topic: str, order: Payload, event: str) -> None:
    """One webhook with the whole order."""
    world.emitter.emit(shop.domain, topic, shown(world, shop, order), event)


def shown(world: Shopify, shop: Shop, body: Payload) -> Payload:
    """An order or checkout with its customer as he or she is now."""
    number, buyer = body.get("customer_id"), None
    if number:
        row = world.store.row("SELECT * FROM customers WHERE shop = ? AND id = ?", (shop.domain, number))
        buyer = payloads.customer(row, shop) if row else None
    return {**{name: value for name, value in body.items() if name != "customer_id"}, "customer": buyer}


def _keep(world: Shopify, shop: Shop, order: Payload) -> str:
    """Write its new state down; the event id for what is told of it."""
    now = world.clock.now()
    order["updated_at"] = local(now, shop.timezone)
    world.store.put(shop.domain, KIND, order["id"], order, at=now)
    return str(uuid.uuid4())


def _identity(world: Shopify, shop: Shop, number: int, at: int, buyer: Any, wish: dict[str, Any]) -> Payload:
    moment = local(at, shop.timezone)
    place_in_list = (
        1001
        + world.store.rows(
            "SELECT count(*) AS times FROM documents WHERE shop = ? AND kind = ?", (shop.domain, KIND)
        )[0]["times"]
    )
    return {
        "id": number,
        "admin_graphql_api_id": gid("Order", number),
        "name": f"#{place_in_list}",
        "order_number": place_in_list,
        **dict.fromkeys(("created_at", "processed_at", "updated_at"), moment),
        **dict.fromkeys(("cancelled_at", "cancel_reason", "closed_at")),
        "test": bool(wish.get("test")),
        "email": wish.get("email") or (buyer["email"] if buyer else None),
        "phone": wish.get("phone"),
        "customer_id": buyer["id"] if buyer else None,
        "customer_locale": buyer["locale"] if buyer else "en",
        "checkout_token": wish.get("checkout_token") or uuid.uuid4().hex,
        "cart_token": wish.get("cart_token") or uuid.uuid4().hex,
        "landing_site": wish.get("landing_site") or "/",
        "referring_site": wish.get("referring_site") or "",
        "source_name": wish.get("source_name") or "web",
        "note_attributes": wish.get("note_attributes") or [],
        "order_status_url": f"https://{shop.domain}/{shop.id}/orders/{uuid.uuid4().hex}/authenticate",
        "tags": "",
        "shipping_address": payloads.address(buyer) if buyer else None,
        "billing_address": payloads.address(buyer) if buyer else None,
    }


def line_items(world: Shopify, wishes: Any) -> list[Payload]:
    """What is bought, as an order or a checkout lists it."""
    items = []
    for wish in wishes:
        number = world.store.take_numbers("LineItem")
        title = str(wish.get("title") or "Olive oil soap")
        items.append(
            {
                "id": number,
                "title": title,
                "name": title,
                "product_id": int(wish.get("product_id") or 632_910_392_000_000_000 + sum(title.encode())),
                "variant_id": None,
                "sku": wish.get("sku"),
                "quantity": int(wish.get("quantity") or 1),
                "price": money(cents(wish.get("price") or "49.90")),
            }
        )
    return items


def _fulfilment(world: Shopify, shop: Shop, order: Payload) -> Payload:
    number = world.store.take_numbers("Fulfillment")
    tracking = f"RA{number % 10**9}GR"
    link = f"https://tracking.example.com/{tracking}"
    now = local(world.clock.now(), shop.timezone)
    return {
        "id": number,
        "admin_graphql_api_id": gid("Fulfillment", number),
        "order_id": order["id"],
        "name": f"{order['name']}.{len(order['fulfillments']) + 1}",
        "status": "success",
        "shipment_status": None,
        "tracking_company": "ELTA Courier",
        "tracking_number": tracking,
        "tracking_numbers": [tracking],
        "tracking_url": link,
        "tracking_urls": [link],
        "created_at": now,
        "updated_at": now,
    }
