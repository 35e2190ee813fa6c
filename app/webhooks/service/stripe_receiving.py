"""Taking in what Stripe posts: stored once, in one statement, then answered. The work comes later."""

from __future__ import annotations

from functools import partial
from typing import Any

from app.core.queue import wake
from app.core.uow import across_shops, after_commit
from app.integrations.stripe.events import StripeEvent
from app.webhooks.errors import NotAStripeEvent
from app.webhooks.queries import stripe
from app.webhooks.service.storable import storable
from app.webhooks.service.stripe_shops import referred, stripe_customer

BELL = "webhooks.apply_stripe"
NAME_MAX = 255  # ids and types of Stripe are far shorter
KEY_MAX = 300


def receive(body: bytes, payload: dict[str, Any]) -> bool:
    """Keep one verified event; False when it was kept already. Keyed by the event's id.

    Raises NotAStripeEvent and UnstorablePayload. Its age does not matter: Stripe repeats for three days.
    """
    event = read_event(payload)
    text = storable(body, payload)
    with across_shops("Stripe's events name no shop of ours"):
        is_new = stripe.store(event.type, event.id, event.created, object_key(event), text)
        if is_new:
            after_commit(partial(wake, BELL))
    return is_new


def read_event(payload: dict[str, Any]) -> StripeEvent:
    """The event in a body. Raises NotAStripeEvent."""
    try:
        event = StripeEvent.from_payload(payload)
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as broken:
        raise NotAStripeEvent from broken
    names = (payload["id"], payload["type"])
    if payload.get("object") != "event" or not all(_is_name(name) for name in names):
        raise NotAStripeEvent
    return event


def object_key(event: StripeEvent) -> str:
    """What is worked on one at a time: a customer, else one payment, else one object.

    Disputes and refunds name no customer, only what was paid.
    """
    told, own = event.object, event.object_id
    if customer := stripe_customer(told):
        return f"customer:{customer}"[:KEY_MAX]
    if told.get("object") == "payment_intent":
        return f"payment:{own}"[:KEY_MAX]
    if paid := referred(told.get("payment_intent")) or referred(told.get("charge")):
        return f"payment:{paid}"[:KEY_MAX]
    return f"{told.get('object')}:{own or event.id}"[:KEY_MAX]


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= NAME_MAX and "\0" not in name
