"""`/v1/customers` and their tax ids."""

from app.sandbox.stripe import customers
from app.sandbox.stripe.api.door import Call, door
from app.sandbox.stripe.api.listing import PAGE, listed
from app.sandbox.stripe.errors import Missing
from app.sandbox.stripe.parameters import anything, integer, many, members, metadata, text, word
from app.sandbox.stripe.store import Document

ADDRESS = members(**dict.fromkeys(customers.ADDRESS, text()))
TAX_TYPES = word("eu_vat", "gb_vat", "us_ein", "eu_oss_vat", "ch_vat", "no_vat")
TAX_ID = members(type=TAX_TYPES, value=text())
WISH = {
    "address": ADDRESS,
    "description": text(350),
    "email": text(512),
    "invoice_prefix": text(12),
    "invoice_settings": members(default_payment_method=text(), footer=text(), custom_fields=anything),
    "metadata": metadata,
    "name": text(256),
    "next_invoice_sequence": integer(1),
    "phone": text(20),
    "preferred_locales": many(text()),
    "shipping": anything,
    "tax": anything,
    "tax_exempt": word("none", "exempt", "reverse"),
}


@door("POST", "/customers", tax_id_data=many(TAX_ID), **WISH)
def create(call: Call) -> Document:
    """A new customer."""
    return customers.create(call.world, call.wish)


@door("GET", "/customers", email=text(), **PAGE)
def every(call: Call) -> Document:
    """Customers, newest first."""
    return listed(call, "customer", "/customers")


@door("GET", "/customers/<number>")
def show(call: Call) -> Document:
    """One customer."""
    return call.found("customer")


@door("POST", "/customers/<number>", **WISH)
def update(call: Call) -> Document:
    """Change some members."""
    return customers.update(call.world, call.found("customer"), call.wish)


@door("DELETE", "/customers/<number>")
def delete(call: Call) -> Document:
    """Forget the customer."""
    return customers.delete(call.world, call.found("customer"))


@door("POST", "/customers/<number>/tax_ids", "type", "value", type=TAX_TYPES, value=text())
def add_tax_id(call: Call) -> Document:
    """A VAT number; VIES is asked later."""
    return customers.add_tax_id(call.world, call.found("customer"), call.wish["type"], call.wish["value"])


@door("GET", "/customers/<number>/tax_ids", **PAGE)
def tax_ids(call: Call) -> Document:
    """The customer's VAT numbers."""
    customer = call.found("customer")["id"]
    return listed(call, "tax_id", f"/customers/{customer}/tax_ids", customer=customer)


@door("GET", "/customers/<number>/tax_ids/<other>")
def tax_id(call: Call) -> Document:
    """One of them."""
    return _tax_id(call)


@door("DELETE", "/customers/<number>/tax_ids/<other>")
def remove_tax_id(call: Call) -> Document:
    """Forget one of them."""
    return customers.remove_tax_id(call.world, _tax_id(call))


@door("GET", "/customers/<number>/payment_methods", type=text(), **PAGE)
def payment_methods(call: Call) -> Document:
    """The cards that are saved with the customer."""
    customer = call.found("customer")["id"]
    return listed(call, "payment_method", f"/customers/{customer}/payment_methods", customer=customer)


def _tax_id(call: Call) -> Document:
    found = call.world.store.get("tax_id", call.other)
    if found is None or found["customer"] != call.found("customer")["id"]:
        raise Missing("tax_id", call.other)
    return found
