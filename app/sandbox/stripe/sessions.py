"""Checkout sessions as documents: what is for sale in them, and what it comes to."""

from app.sandbox.stripe import tax
from app.sandbox.stripe.catalogue import price, product
from app.sandbox.stripe.errors import Missing, MissingParameter, Refusal
from app.sandbox.stripe.ids import new_id
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document

KIND = "checkout.session"


def line_items(world: Stripe, wishes: list[Document], mode: str) -> list[Document]:
    """What is sold. Raises Refusal for prices of the wrong type or in several currencies."""
    items = [_line_item(world, wish, f"line_items[{place}]") for place, wish in enumerate(wishes)]
    if len({item["currency"] for item in items}) > 1:
        raise Refusal("All prices in a session must have the same currency.", param="line_items")
    recurring = [item for item in items if item["price"]["recurring"]]
    if mode == "payment" and recurring:
        raise Refusal(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode "
            "or use only one-time prices.",
            param="mode",
        )
    if mode == "subscription" and not recurring:
        raise Refusal(
            "You must provide at least one recurring price in `subscription` mode when using prices.",
            param="mode",
        )
    return items


def priced(world: Stripe, session: Document, percent: int = 0, reason: str | None = None) -> Document:
    """The session with its sums, tax included; its line items are kept likewise."""
    kept = world.store.kept(KIND, session["id"])
    items = tax.taxed(kept["line_items"], percent)
    if percent == 0:
        items = [item | {"amount_tax": 0, "amount_total": item["amount_subtotal"]} for item in items]
    added = sum(item["amount_tax"] for item in items)
    after = session | {
        "amount_subtotal": sum(item["amount_subtotal"] for item in items),
        "amount_total": sum(item["amount_total"] for item in items),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": added},
    }
    if reason is not None:
        after["automatic_tax"] = session["automatic_tax"] | {"status": "complete"}
    world.store.put(after, kept=kept | {"line_items": items, "taxability_reason": reason})
    return after


def _line_item(world: Stripe, wish: Document, param: str) -> Document:
    sold = _price(world, wish, param)
    quantity = wish.get("quantity") or 0
    if quantity < 1:
        raise Refusal("Quantity is required. Add `quantity` to the line item.", param=f"{param}[quantity]")
    amount = sold["unit_amount"] * quantity
    named = world.store.known("product", sold["product"])
    return {
        "id": new_id("item"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": sold["currency"],
        "description": named["name"],
        "metadata": wish.get("metadata") or {},
        "price": sold,
        "quantity": quantity,
    }


def _price(world: Stripe, wish: Document, param: str) -> Document:
    if (wish.get("price") is None) == (wish.get("price_data") is None):
        raise Refusal(f"You must specify either `price` or `price_data` in {param}.", param=param)
    if wish.get("price") is not None:
        found = world.store.get("price", wish["price"])
        if found is None:
            raise Missing("price", wish["price"], f"{param}[price]")
        if not found["active"]:
            raise Refusal("The price specified is inactive.", param=f"{param}[price]")
        return found
    return _made_price(world, wish["price_data"], f"{param}[price_data]")


def _made_price(world: Stripe, wish: Document, param: str) -> Document:
    for member in ("currency", "unit_amount"):
        if wish.get(member) is None:
            raise MissingParameter(f"{param}[{member}]")
    named, now = wish.get("product_data"), world.clock.now()
    if (named is None) == (wish.get("product") is None):
        raise Refusal("Specify either `product` or `product_data`.", param=param)
    if named is not None:
        sold = product(new_id("product"), named["name"], now)
        sold |= {
            "description": named.get("description"),
            "metadata": named.get("metadata") or {},
            "active": False,
        }
        world.store.put(sold)
    else:
        found = world.store.get("product", wish["product"])
        if found is None:
            raise Missing("product", wish["product"], f"{param}[product]")
        sold = found
    interval = (wish.get("recurring") or {}).get("interval")
    made = price(new_id("price"), sold["id"], wish["currency"].lower(), wish["unit_amount"], now, interval)
    made |= {"active": False, "tax_behavior": wish.get("tax_behavior") or "exclusive"}
    return world.store.put(made)
