"""Checkouts: begun, left alone, finished. Shopify has no event for "abandoned": nothing simply happens."""

import uuid
from typing import Any

from app.sandbox.shopify import customers, orders
from app.sandbox.shopify.clock import local
from app.sandbox.shopify.payloads import Payload, cents, money
from app.sandbox.shopify.shops import BadWish, Shop
from app.sandbox.shopify.state import Shopify

KIND = "checkout"
WISHES = {"customer_id", "phone", "email", "items", "accepts_sms", "landing_site", "at"}


class NoSuchCheckout(LookupError):
    """The shop has no such checkout."""


def by_token(world: Shopify, shop: Shop, token: str) -> Payload:
    """A checkout as it is kept. Raises NoSuchCheckout."""
    found = world.store.by_token(shop.domain, KIND, token)
    if found is None:
        raise NoSuchCheckout(token)
    return found


def begin(world: Shopify, shop: Shop, wish: dict[str, Any]) -> Payload:
    """Somebody fills a cart and says who it is: `checkouts/create`. Left like this, it is abandoned."""
    if unknown := set(wish) - WISHES:
        raise BadWish(f"a checkout has no {', '.join(sorted(unknown))}")
    buyer = customers.by_id(world, shop, int(wish["customer_id"])) if wish.get("customer_id") else None
    at = int(wish.get("at") or world.clock.now())
    number, token = world.store.take_numbers("Checkout"), uuid.uuid4().hex
    items = orders.line_items(world, wish.get("items") or orders.DEFAULT_ITEMS)
    total = money(sum(cents(item["price"]) * item["quantity"] for item in items))
    phone = wish.get("phone") or (buyer["phone"] if buyer else None)
    checkout = {
        "id": number,
        "token": token,
        "cart_token": uuid.uuid4().hex,
        "name": f"#{number}",
        "abandoned_checkout_url": f"https://{shop.domain}/{shop.id}/checkouts/{token}/recover?key={uuid.uuid4().hex}",
        "customer_id": buyer["id"] if buyer else None,
        "email": wish.get("email") or (buyer["email"] if buyer else None),
        "phone": phone,
        "buyer_accepts_marketing": False,
        "buyer_accepts_sms_marketing": bool(wish.get("accepts_sms")),
        "sms_marketing_phone": phone if wish.get("accepts_sms") else None,
        "customer_locale": buyer["locale"] if buyer else "en",
        "source_name": "web",
        "landing_site": wish.get("landing_site") or "/",
        "currency": shop.currency,
        "total_price": total,
        "subtotal_price": total,
        "line_items": items,
        "completed_at": None,
        "created_at": local(at, shop.timezone),
        "updated_at": local(at, shop.timezone),
    }
    world.store.put(shop.domain, KIND, number, checkout, at=at, token=token)
    world.emitter.emit(shop.domain, "checkouts/create", orders.shown(world, shop, checkout))
    return orders.shown(world, shop, checkout)


def change(world: Shopify, shop: Shop, token: str, items: list[dict[str, Any]]) -> Payload:
    """Another cart: `checkouts/update`."""
    checkout = by_token(world, shop, token)
    checkout["line_items"] = orders.line_items(world, items)
    total = sum(cents(item["price"]) * item["quantity"] for item in checkout["line_items"])
    checkout.update(total_price=money(total), subtotal_price=money(total))
    return _keep(world, shop, checkout, str(uuid.uuid4()))


def complete(world: Shopify, shop: Shop, token: str, wish: dict[str, Any]) -> Payload:
    """The cart is bought after all: `orders/create`, `orders/paid`, `checkouts/update` with `completed_at`.

    `wish` is that of an order; items, customer and tokens are the checkout's. The order is given back.
    """
    checkout = by_token(world, shop, token)
    if checkout["completed_at"]:
        raise BadWish("It was bought already.")
    order = orders.place(
        world,
        shop,
        {
            "customer_id": checkout["customer_id"],
            "email": checkout["email"],
            "phone": checkout["phone"] if not checkout["customer_id"] else None,
            "items": checkout["line_items"],
            "landing_site": checkout["landing_site"],
            **wish,
            "checkout_token": token,
            "cart_token": checkout["cart_token"],
        },
    )
    checkout["completed_at"] = order["created_at"]
    _keep(world, shop, checkout, str(uuid.uuid4()))
    return order


def delete(world: Shopify, shop: Shop, token: str) -> None:
    """`checkouts/delete`."""
    checkout = by_token(world, shop, token)
    world.store.drop(shop.domain, KIND, checkout["id"])
    world.emitter.emit(shop.domain, "checkouts/delete", {"id": checkout["id"], "token": token})


def _keep(world: Shopify, shop: Shop, checkout: Payload, event: str) -> Payload:
    now = world.clock.now()
    checkout["updated_at"] = local(now, shop.timezone)
    world.store.put(shop.domain, KIND, checkout["id"], checkout, at=now, token=checkout["token"])
    told = orders.shown(world, shop, checkout)
    world.emitter.emit(shop.domain, "checkouts/update", told, event)
    return told
