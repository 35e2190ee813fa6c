"""Ways to buy something with the real client, for the tests of the API."""

from typing import Any

import stripe

from tests.stripe_world import CARD, StripeWorld

GREECE = {"line1": "Odos 1", "city": "Athens", "postal_code": "10431", "country": "GR"}
RETURNS = {
    "success_url": "https://app.example.com/success?session_id={CHECKOUT_SESSION_ID}&type=x",
    "cancel_url": "https://app.example.com/cancel",
}


def line(cents: int = 5580, **price: Any) -> dict[str, Any]:
    """One line of a price made on the spot."""
    made = {"currency": "eur", "unit_amount": cents, "product_data": {"name": "1,000 credits"}}
    return {"price_data": made | price, "quantity": 1}


def session(world: StripeWorld, **wish: Any) -> stripe.checkout.Session:
    """A session; for one payment unless `mode` says otherwise."""
    full: Any = {"mode": "payment", "line_items": [line()], **RETURNS, **wish}
    return world.client().v1.checkout.sessions.create(full)


def paid(world: StripeWorld, **wish: Any) -> stripe.PaymentIntent:
    """A payment that has come in."""
    done = world.pay(session(world, **wish).id)
    return world.client().v1.payment_intents.retrieve(done["payment_intent"], {"expand": ["latest_charge"]})


def subscribed(
    world: StripeWorld, price: str = "price_sandbox_starter_eur", card: str = CARD, **wish: Any
) -> stripe.Subscription:
    """A subscription that is paid for."""
    made = session(world, mode="subscription", line_items=[{"price": price, "quantity": 1}], **wish)
    done = world.pay(made.id, card=card, email="maria@example.com", name="Maria")
    return world.client().v1.subscriptions.retrieve(done["subscription"], {"expand": ["latest_invoice"]})


def kinds(world: StripeWorld) -> list[str]:
    """The types of the events since the last call, oldest first."""
    return [event["type"] for event in world.pull()]
