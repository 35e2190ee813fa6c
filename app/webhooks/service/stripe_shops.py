"""Whose an event of Stripe is: so that an operator, and erasing a shop, find all of the shop's events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.core.uow import across_shops
from app.integrations.stripe.events import StripeEvent
from app.payers.service import customers
from app.webhooks.queries import stripe

NUMBER_MAX = 2**63 - 1


def shop_of(event: StripeEvent) -> int | None:
    """The shop that an event is about: by our metadata, else by its customer. None when nobody is known."""
    named = [number for number in _named(event.object) if number is not None]
    with across_shops("Stripe's events name no shop of ours"):
        known = stripe.first_shop(named) if named else None
    if known is not None:
        return known
    customer = stripe_customer(event.object)
    return customers.shop_of_customer(customer) if customer else None


def stripe_customer(told: Mapping[str, Any]) -> str | None:
    """The id of the customer that an object is, or names."""
    if told.get("object") == "customer":
        return told.get("id")
    return referred(told.get("customer"))


def referred(reference: object) -> str | None:
    """The id of what an object refers to: Stripe writes the id, or, where it is expanded, the whole."""
    if isinstance(reference, dict):
        reference = reference.get("id")
    return reference if isinstance(reference, str) and reference else None


def _named(told: Mapping[str, Any]) -> Iterator[int | None]:
    """What we wrote into the metadata of everything that we make at Stripe."""
    details = _inside(_inside(told, "parent"), "subscription_details")
    for metadata in (_inside(told, "metadata"), _inside(details, "metadata")):
        for name in ("shopId", "storeId"):
            yield _number(metadata.get(name))


def _inside(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = told.get(name)
    return inner if isinstance(inner, dict) else {}


def _number(written: object) -> int | None:
    if not (isinstance(written, str) and written.isascii() and written.isdigit()):
        return None
    number = int(written) if len(written) < 20 else 0
    return number if 0 < number <= NUMBER_MAX else None
