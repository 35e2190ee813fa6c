"""Everything that can be made to happen in a shop, by name: buttons of the page, calls of the control API."""

from collections.abc import Callable
from typing import Any

from app.sandbox.shopify import checkouts, customers, discounts, orders, payloads, shops, tokens
from app.sandbox.shopify.clock import seconds_of
from app.sandbox.shopify.graph import subscription_fields
from app.sandbox.shopify.people import Population
from app.sandbox.shopify.shops import BadWish, Shop
from app.sandbox.shopify.state import Shopify
from app.sandbox.shopify.topics import COMPLIANCE, TOPICS

Wish = dict[str, Any]
Action = Callable[[Shopify, Shop, Wish], Any]


def act(world: Shopify, domain: str, name: str, wish: Wish) -> Any:
    """Do one of ACTIONS. Raises BadWish, NoSuchShop, NoSuchCustomer, NoSuchOrder, NoSuchCheckout."""
    if name not in ACTIONS:
        raise BadWish(f"{name!r} is not one of {', '.join(sorted(ACTIONS))}")
    shop = shops.by_domain(world, domain)
    try:
        return ACTIONS[name](world, shop, dict(wish))
    except KeyError as missing:
        raise BadWish(f"{missing.args[0]} is needed") from missing
    except TypeError as error:
        raise BadWish(str(error)) from error


def _populate(world: Shopify, shop: Shop, wish: Wish) -> Any:
    kinds = {"count": int, "seed": int}
    values: dict[str, Any] = {name: kinds.get(name, float)(value) for name, value in wish.items()}
    crowd = Population(**values)
    first = customers.populate(world, shop, crowd)
    return {"first_id": first, "count": crowd.count}


def _create_customer(world: Shopify, shop: Shop, wish: Wish) -> Any:
    return payloads.customer(customers.create(world, shop, wish), shop)


def _edit_customer(world: Shopify, shop: Shop, wish: Wish) -> Any:
    number = int(wish.pop("customer_id"))
    return payloads.customer(customers.edit(world, shop, number, wish), shop)


def _consent(world: Shopify, shop: Shop, wish: Wish) -> Any:
    row = customers.set_consent(
        world,
        shop,
        int(wish["customer_id"]),
        str(wish["state"]),
        level=str(wish.get("level") or "single_opt_in"),
        at=_moment(wish.get("at")),
        collected_from=str(wish.get("collected_from") or "SHOPIFY"),
    )
    return payloads.customer(row, shop)


def _merge(world: Shopify, shop: Shop, wish: Wish) -> Any:
    row = customers.merge(world, shop, int(wish["customer_id"]), int(wish["into"]))
    return payloads.customer(row, shop)


def _order(world: Shopify, shop: Shop, wish: Wish) -> Any:
    if wish.get("token"):
        token = str(wish.pop("token"))
        return checkouts.complete(world, shop, token, _timed(wish))
    return orders.place(world, shop, _timed(wish))


def _discount(world: Shopify, shop: Shop, wish: Wish) -> Any:
    code = str(wish.pop("code"))
    times = {name: _moment(wish[name]) for name in ("starts_at", "ends_at") if wish.get(name)}
    return discounts.create(world, shop, code, **{**wish, **times})


def _subscribe(world: Shopify, shop: Shop, wish: Wish) -> Any:
    topic = str(wish["topic"])
    if topic not in TOPICS:
        raise BadWish(f"{topic!r} is not a topic")
    return subscription_fields.keep(world, shop, topic, {"uri": str(wish["uri"])})


def _emit(world: Shopify, shop: Shop, wish: Wish) -> Any:
    topic = str(wish["topic"])
    if topic not in (*TOPICS, *COMPLIANCE):
        raise BadWish(f"{topic!r} is not a topic")
    sent = world.emitter.emit(shop.domain, topic, wish["payload"], wish.get("event_id"))
    return {"webhook_ids": [one.webhook_id for one in sent]}


def _update_shop(world: Shopify, shop: Shop, wish: Wish) -> Any:
    return shops.payload(shops.update(world, shop.domain, **wish))


def _moment(value: Any) -> int | None:
    if value in (None, ""):
        return None
    try:
        return value if isinstance(value, int) else seconds_of(str(value))
    except ValueError as error:
        raise BadWish(str(error)) from error


def _timed(wish: Wish) -> Wish:
    return {**wish, "at": _moment(wish.get("at"))}


def _of_customer(function: Callable[[Shopify, Shop, int], Any]) -> Action:
    return lambda world, shop, wish: function(world, shop, int(wish["customer_id"]))


ACTIONS: dict[str, Action] = {
    "populate": _populate,
    "create-customer": _create_customer,
    "edit-customer": _edit_customer,
    "delete-customer": _of_customer(customers.delete),
    "merge-customers": _merge,
    "consent": _consent,
    "order": _order,
    "fulfil": lambda w, s, wish: orders.fulfil(
        w, s, int(wish["order_id"]), partial=bool(wish.get("partial"))
    ),
    "deliver": lambda w, s, wish: orders.deliver(w, s, int(wish["order_id"])),
    "refund": lambda w, s, wish: orders.refund(w, s, int(wish["order_id"]), wish.get("amount") or None),
    "cancel": lambda w, s, wish: orders.cancel(w, s, int(wish["order_id"])),
    "checkout": lambda w, s, wish: checkouts.begin(w, s, _timed(wish)),
    "change-checkout": lambda w, s, wish: checkouts.change(w, s, str(wish["token"]), wish["items"]),
    "delete-checkout": lambda w, s, wish: checkouts.delete(w, s, str(wish["token"])),
    "discount": _discount,
    "update-shop": _update_shop,
    "scopes": lambda w, s, wish: shops.rescope(w, s.domain, str(wish["scopes"])),
    "uninstall": lambda w, s, wish: shops.uninstall(w, s.domain),
    "data-request": _of_customer(customers.data_request),
    "redact": _of_customer(customers.redact),
    "shop-redact": lambda w, s, wish: customers.shop_redact(w, s),
    "expire-tokens": lambda w, s, wish: {"expired": tokens.expire_all(w, s.domain)},
    "subscribe": _subscribe,
    "emit": _emit,
}
