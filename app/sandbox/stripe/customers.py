"""Customers and their VAT numbers."""

import re

from app.sandbox.stripe.errors import Refusal
from app.sandbox.stripe.events import CAUSE, NOBODY
from app.sandbox.stripe.ids import new_id
from app.sandbox.stripe.parameters import merged
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document

PLAIN = ("name", "email", "phone", "description", "tax_exempt")
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
EU_VAT = re.compile(
    r"(AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI)[0-9A-Z+*]{2,12}"
)
# docs.stripe.com/billing/customer/tax-ids: numbers whose check has a known end in test mode.
CHECKS = {"000000000": "verified", "111111111": "unverified", "222222222": "pending"}


def create(world: Stripe, wish: Document) -> Document:
    """A new customer; `customer.created`."""
    number = new_id("customer")
    customer: Document = {
        "id": number,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": world.clock.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": number[-8:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    customer = _with(world, customer, wish)
    world.store.put(customer, kept={"verified_name": None})
    world.events.emit("customer.created", customer)
    for one in wish.get("tax_id_data") or []:
        add_tax_id(world, customer, one["type"], one["value"])
    return customer


def update(world: Stripe, customer: Document, wish: Document) -> Document:
    """Change some members; `customer.updated` when anything differs."""
    after = _with(world, customer, wish)
    world.events.changed("customer.updated", customer, after)
    return after


def delete(world: Stripe, customer: Document) -> Document:
    """Forget the customer; `customer.deleted`. What it has bought stays."""
    world.store.drop("customer", customer["id"])
    world.events.emit("customer.deleted", customer)
    return {"id": customer["id"], "object": "customer", "deleted": True}


def address(wish: Document) -> Document:
    """All members of an address."""
    return {member: wish.get(member) for member in ADDRESS}


def add_tax_id(world: Stripe, customer: Document, type: str, value: str) -> Document:
    """A VAT number; its check comes later, as `customer.tax_id.updated`. Raises Refusal for a bad form."""
    value = re.sub(r"[\s.-]", "", value).upper()
    if type == "eu_vat" and EU_VAT.fullmatch(value) is None:
        raise Refusal(f"Invalid value for {type}.", param="value", code="tax_id_invalid")
    tax_id = {
        "id": new_id("tax_id"),
        "object": "tax_id",
        "country": {"EL": "GR"}.get(value[:2], value[:2]) if type == "eu_vat" else None,
        "created": world.clock.now(),
        "customer": customer["id"],
        "livemode": False,
        "owner": {"customer": customer["id"], "type": "customer"},
        "type": type,
        "value": value,
        "verification": {"status": "pending", "verified_address": None, "verified_name": None},
    }
    world.store.put(tax_id)
    world.events.emit("customer.tax_id.created", tax_id)
    if type == "eu_vat":
        world.store.afterwards(lambda: check_tax_id(world, tax_id["id"]))
    return tax_id


def check_tax_id(world: Stripe, number: str) -> None:
    """What VIES says of a VAT number."""
    token = CAUSE.set(NOBODY)
    try:
        with world.store.changing():
            before = world.store.get("tax_id", number)
            if before is None:
                return
            ending = next((end for digits, end in CHECKS.items() if digits in before["value"]), "verified")
            status = ending if world.switches.now.vies_works else "unavailable"
            verification = before["verification"] | {"status": status}
            if status == "verified":
                verification |= {"verified_name": "TEST COMPANY", "verified_address": "TEST STREET 1"}
            world.events.changed("customer.tax_id.updated", before, before | {"verification": verification})
    finally:
        CAUSE.reset(token)


def remove_tax_id(world: Stripe, tax_id: Document) -> Document:
    """Forget a VAT number; `customer.tax_id.deleted`."""
    world.store.drop("tax_id", tax_id["id"])
    world.events.emit("customer.tax_id.deleted", tax_id)
    return {"id": tax_id["id"], "object": "tax_id", "deleted": True}


def _with(world: Stripe, customer: Document, wish: Document) -> Document:
    after = dict(customer)
    for member in PLAIN:
        if member in wish:
            after[member] = wish[member] or ("none" if member == "tax_exempt" else None)
    if "address" in wish:
        after["address"] = address(wish["address"]) if wish["address"] else None
    if "preferred_locales" in wish:
        after["preferred_locales"] = wish["preferred_locales"] or []
    if (settings := wish.get("invoice_settings")) is not None:
        after["invoice_settings"] = customer["invoice_settings"] | settings
    after["metadata"] = merged(customer["metadata"], wish.get("metadata"))
    return after
