"""Portal sessions: one click's way into the customer portal."""

from app.sandbox.stripe.ids import new_id
from app.sandbox.stripe.links import page
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document

KIND = "billing_portal.session"


def begin(world: Stripe, customer: Document, wish: Document) -> Document:
    """A new one, with the address of its page."""
    number = new_id(KIND)
    made = {
        "id": number,
        "object": KIND,
        "configuration": wish.get("configuration") or "bpc_sandbox",
        "created": world.clock.now(),
        "customer": customer["id"],
        "flow": wish.get("flow_data"),
        "livemode": False,
        "locale": wish.get("locale"),
        "on_behalf_of": None,
        "return_url": wish.get("return_url"),
        "url": page(f"portal/{number}"),
    }
    return world.store.put(made)
