"""Builders of what Shopify says about customers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from app.core.uow import unit_of_work
from app.integrations.shopify.events import ShopifyEvent
from app.shops.models import Shop

numbers = itertools.count(1)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PHONE, OTHER_PHONE = "+306912345678", "+306912345679"


def at(seconds: float) -> str:
    """So many seconds after noon of the day of these tests, as Shopify writes it."""
    return (NOON + timedelta(seconds=seconds)).isoformat()


def consent(state: str, seconds: float, **more: Any) -> dict[str, Any]:
    """What a payload says of consent since `seconds` after noon."""
    return {
        "state": state,
        "opt_in_level": "single_opt_in",
        "consent_updated_at": at(seconds),
        "consent_collected_from": "SHOPIFY",
        **more,
    }


def customer(shopify_id: int = 7, **columns: Any) -> dict[str, Any]:
    """A customer as webhooks write them."""
    return {
        "id": shopify_id,
        "phone": PHONE,
        "email": "maria@example.com",
        "first_name": "Maria",
        "last_name": "Papadopoulou",
        "tags": "VIP, summer",
        "updated_at": at(0),
        "sms_marketing_consent": None,
        "default_address": {"country_code": "GR", "phone": "6999999999"},
        **columns,
    }


def event(shop: Shop, topic: str, payload: dict[str, Any]) -> ShopifyEvent:
    """One delivery of the webhook."""
    number = next(numbers)
    return ShopifyEvent(number, shop.id, topic, f"webhook-{number}", datetime.now(UTC), payload)


def deliver(
    shop: Shop, step: Callable[[ShopifyEvent], str], payload: dict[str, Any], topic: str = "customers/update"
) -> str:
    """Let `step` take in one delivery, as the inbox does; gives its word."""
    with unit_of_work(shop.id):
        return step(event(shop, topic, payload))


def consent_payload(
    state: str, seconds: float, *, phone: str | None = PHONE, shopify_id: int = 7
) -> dict[str, Any]:
    """The body of customers_marketing_consent/update."""
    return {"customer_id": shopify_id, "phone": phone, "sms_marketing_consent": consent(state, seconds)}
