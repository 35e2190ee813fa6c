"""`/v1/products` and `/v1/prices`."""

from app.sandbox.stripe import catalogue
from app.sandbox.stripe.api.door import Call, door
from app.sandbox.stripe.api.listing import PAGE, listed
from app.sandbox.stripe.ids import new_id
from app.sandbox.stripe.parameters import boolean, integer, many, members, metadata, text, word
from app.sandbox.stripe.store import Document

RECURRING = members(interval=word("day", "week", "month", "year"), interval_count=integer(1, 12))


@door("GET", "/prices/<number>")
def price(call: Call) -> Document:
    """One price."""
    return call.found("price")


@door(
    "GET",
    "/prices",
    active=boolean,
    product=text(),
    currency=text(),
    type=word("one_time", "recurring"),
    lookup_keys=many(text()),
    **PAGE,
)
def prices(call: Call) -> Document:
    """Prices, newest first."""
    return listed(call, "price", "/prices")


@door(
    "POST",
    "/prices",
    "currency",
    "product",
    "unit_amount",
    currency=text(3),
    product=text(),
    unit_amount=integer(0),
    recurring=RECURRING,
    tax_behavior=word("exclusive", "inclusive", "unspecified"),
    metadata=metadata,
    nickname=text(),
)
def create_price(call: Call) -> Document:
    """A new price of a product."""
    wish, recurring = call.wish, call.wish.get("recurring") or {}
    sold = call.named("product", "product")
    made = catalogue.price(
        new_id("price"),
        sold["id"],
        wish["currency"].lower(),
        wish["unit_amount"],
        call.world.clock.now(),
        recurring.get("interval"),
    )
    if made["recurring"]:
        made["recurring"]["interval_count"] = recurring.get("interval_count") or 1
    made |= {"metadata": wish.get("metadata") or {}, "nickname": wish.get("nickname")}
    made["tax_behavior"] = wish.get("tax_behavior") or "unspecified"
    call.world.store.put(made)
    call.world.events.emit("price.created", made)
    return made


@door("GET", "/products/<number>")
def product(call: Call) -> Document:
    """One product."""
    return call.found("product")


@door("GET", "/products", active=boolean, **PAGE)
def products(call: Call) -> Document:
    """Products, newest first."""
    return listed(call, "product", "/products")


@door("POST", "/products", "name", name=text(), description=text(), metadata=metadata, active=boolean)
def create_product(call: Call) -> Document:
    """A new product."""
    made = catalogue.product(new_id("product"), call.wish["name"], call.world.clock.now())
    made |= {"metadata": call.wish.get("metadata") or {}, "description": call.wish.get("description")}
    call.world.store.put(made)
    call.world.events.emit("product.created", made)
    return made
