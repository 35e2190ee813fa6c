"""Whose an event of Stripe is: so that an operator, and erasing a shop, find all of the shop's events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.core.uow import across_shops
from app.integrations.stripe.events import StripeEvent
from app.webhooks.queries import stripe

NUMBER_MAX = 2**63 - 1


def shop_of(event: StripeEvent) -> int | None:
    """The shop that an event is about, as far as we know it."""
    with across_shops("Stripe's events name no shop of ours"):
        named = [number for number in _named(event.object) if number is not None]
        return stripe.first_shop(named) if named else None


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
