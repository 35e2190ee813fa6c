"""Discounts and their codes. A code is the same in capitals and small letters."""

from typing import Any

from app.sandbox.shopify.clock import zulu
from app.sandbox.shopify.gids import gid
from app.sandbox.shopify.payloads import Payload, cents, money
from app.sandbox.shopify.shops import BadWish, Shop
from app.sandbox.shopify.state import Shopify

KIND = "discount"
TYPES = ("DiscountCodeBasic", "DiscountCodeFreeShipping", "DiscountCodeBxgy")
FIND = "SELECT * FROM discount_codes WHERE shop = ? AND code = ?"
USE = "UPDATE discount_codes SET used = used + 1 WHERE shop = ? AND code = ?"
ADD = "INSERT INTO discount_codes (shop, code, discount_id, id) VALUES (?, ?, ?, ?)"
CODES = "SELECT * FROM discount_codes WHERE shop = ? AND discount_id = ? AND id > ? ORDER BY id LIMIT ?"
COUNT = "SELECT count(*) AS codes, sum(used) AS used FROM discount_codes WHERE shop = ? AND discount_id = ?"


def create(
    world: Shopify,
    shop: Shop,
    code: str,
    *,
    title: str = "",
    percentage: float | None = None,
    amount: str | None = None,
    kind: str = "DiscountCodeBasic",
    starts_at: int | None = None,
    ends_at: int | None = None,
    usage_limit: int | None = None,
    once: bool = False,
) -> Payload:
    """A discount with its first code; `percentage` is a fraction. Raises BadWish when the code is taken."""
    if kind not in TYPES:
        raise BadWish(f"{kind!r} is not one of {', '.join(TYPES)}")
    now = world.clock.now()
    with world.store.changing():
        number = world.store.take_numbers("DiscountCodeNode")
        body = {
            "id": number,
            "type": kind,
            "title": title or code,
            "percentage": percentage if amount is None else None,
            "amount": amount,
            "starts_at": now if starts_at is None else starts_at,
            "ends_at": ends_at,
            "usage_limit": usage_limit,
            "once": once,
            "created_at": now,
            "updated_at": now,
        }
        if add_codes(world, shop, number, [code]):
            raise BadWish("Code must be unique. Please try a different code.")
        world.store.put(shop.domain, KIND, number, body, at=now)
    _tell(world, shop, "discounts/create", body)
    return body


def add_codes(world: Shopify, shop: Shop, number: int, codes: list[str]) -> list[str]:
    """More codes for a discount; those that were taken are given back."""
    taken = []
    with world.store.changing():
        for code in codes:
            if find(world, shop, code):
                taken.append(code)
            else:
                world.store.run(
                    ADD, (shop.domain, code, number, world.store.take_numbers("DiscountRedeemCode"))
                )
    return taken


def deactivate(world: Shopify, shop: Shop, number: int) -> Payload | None:
    """It ends now. None when there is no such discount."""
    body = world.store.get(shop.domain, KIND, number)
    if body is not None:
        body.update(ends_at=world.clock.now(), updated_at=world.clock.now())
        world.store.put(shop.domain, KIND, number, body, at=world.clock.now())
        _tell(world, shop, "discounts/update", body)
    return body


def find(world: Shopify, shop: Shop, code: str) -> Any | None:
    """The row of a code: discount_id, id, used."""
    return world.store.row(FIND, (shop.domain, code))


def used(world: Shopify, shop: Shop, codes: list[Any], subtotal_cents: int) -> list[Payload]:
    """Redeem codes at a checkout; `discount_codes` of the order. Raises BadWish for a code that is not good.

    An entry that is an object ({code, amount, type}) is taken as it is.
    """
    found = []
    for wish in codes:
        if isinstance(wish, dict):
            found.append(wish)
            continue
        row = find(world, shop, str(wish))
        body = world.store.get(shop.domain, KIND, row["discount_id"]) if row else None
        if row is None or body is None or status(body, world.clock.now()) != "ACTIVE":
            raise BadWish(f"Discount code {wish} isn't valid.")
        if body["usage_limit"] is not None and row["used"] >= body["usage_limit"]:
            raise BadWish(f"Discount code {wish} was used up.")
        world.store.run(USE, (shop.domain, row["code"]))
        found.append(_redeemed(row["code"], body, subtotal_cents))
    return found


def status(body: Payload, now: int) -> str:
    """ACTIVE, SCHEDULED or EXPIRED."""
    if body["starts_at"] > now:
        return "SCHEDULED"
    return "EXPIRED" if body["ends_at"] is not None and body["ends_at"] <= now else "ACTIVE"


def _redeemed(code: str, body: Payload, subtotal_cents: int) -> Payload:
    if body["percentage"] is not None:
        return {
            "code": code,
            "amount": money(round(subtotal_cents * body["percentage"])),
            "type": "percentage",
        }
    if body["amount"] is not None:
        return {"code": code, "amount": money(cents(body["amount"])), "type": "fixed_amount"}
    return {"code": code, "amount": "0.00", "type": "shipping"}


def _tell(world: Shopify, shop: Shop, topic: str, body: Payload) -> None:
    told = {
        "admin_graphql_api_id": gid("DiscountCodeNode", body["id"]),
        "title": body["title"],
        "status": status(body, world.clock.now()),
        "created_at": zulu(body["created_at"]),
        "updated_at": zulu(body["updated_at"]),
    }
    world.emitter.emit(shop.domain, topic, told)
