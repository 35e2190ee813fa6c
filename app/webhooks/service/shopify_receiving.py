"""Taking in what Shopify posts: stored once, in one statement, then answered. The work comes later."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog

from app.core.queue import wake
from app.core.uow import across_shops, after_commit
from app.integrations.shopify.events import Delivery, object_id
from app.webhooks.queries import shopify
from app.webhooks.service.storable import storable

log = structlog.get_logger(__name__)
BELL = "webhooks.apply_shopify"
ABANDONED = "checkouts/abandoned"
UNNAMED = "unnamed"
# Events of one object are worked on one after the other, so each topic belongs to a family of objects.
# Fulfilments and refunds change their order; consent is the customer's.
FAMILIES = {
    "customers_marketing_consent": "customers",
    "customers_email_marketing_consent": "customers",
    "fulfillments": "orders",
    "fulfillment_events": "orders",
    "refunds": "orders",
    "carts": "checkouts",
}
IDENTITY: dict[str, tuple[str, ...]] = {
    "fulfillments": ("order_id",),
    "fulfillment_events": ("order_id",),
    "refunds": ("order_id",),
    "orders": ("id",),
    "customers": ("id",),
    "customers_marketing_consent": ("customer_id",),
    "customers_email_marketing_consent": ("customer_id",),
    "checkouts": ("token", "abandonedCheckoutId", "checkout_id", "id"),
    "carts": ("token", "id"),
    "bulk_operations": ("admin_graphql_api_id",),
}


def receive(delivery: Delivery, body: bytes, payload: dict[str, Any], *, topic: str = "") -> bool:
    """Keep one verified event; False when it was kept already. Keyed by the delivery's id.

    `topic` is what the address stands for, when the headers name none. Raises UnstorablePayload. An event of
    a shop that we do not know, or whose body names another shop than its headers, is kept as nobody's.
    """
    named = delivery.topic or topic or UNNAMED
    values = {
        "topic": named,
        "external_id": delivery.webhook_id or _fingerprint(delivery, named, body),
        "domain": delivery.shop_domain,
        "matched_domain": None if _contradicts(delivery, payload) else delivery.shop_domain,
        "triggered_at": delivery.triggered_at,
        "object_key": object_key(named, payload),
        "customer_id": customer_id(named, payload),
    }
    text = storable(body, payload)
    with across_shops("Shopify's posts name a domain, not a shop"):
        is_new, shop_id = shopify.store(values, text)
        if shop_id is not None:
            after_commit(partial(wake, BELL, shop_id))
    if is_new and shop_id is None:
        log.info("shopify_event_unmatched", shopify_topic=named)
    return is_new


def object_key(topic: str, payload: Mapping[str, Any]) -> str:
    """Which object an event is about, as `family:identity`; all that concerns the shop itself is one."""
    first = topic.partition("/")[0]
    if topic in {"customers/redact", "customers/data_request"}:
        identity = (payload.get("customer") or {}).get("id") if _has_customer(payload) else None
    elif topic == "customers/merge":
        identity = payload.get("admin_graphql_api_customer_kept_id")
    else:
        identity = next((payload[name] for name in IDENTITY.get(first, ()) if payload.get(name)), None)
    number = object_id(identity)
    known = str(number if number is not None else identity or "")[:100]
    return f"{FAMILIES.get(first, first)}:{known}" if known else f"shop:{first}"


def customer_id(topic: str, payload: Mapping[str, Any]) -> int | None:
    """Shopify's number of the customer whom an event is about, by which it is found for erasing."""
    if topic.startswith("customers") and not _has_customer(payload):
        return object_id(payload.get("customer_id") or payload.get("id"))
    return object_id(payload["customer"].get("id")) if _has_customer(payload) else None


def _has_customer(payload: Mapping[str, Any]) -> bool:
    return isinstance(payload.get("customer"), dict)


def _contradicts(delivery: Delivery, payload: Mapping[str, Any]) -> bool:
    """Only the body is signed: a body that names its shop must name the one of the headers."""
    named = payload.get("shop_domain") or payload.get("myshopify_domain")
    return isinstance(named, str) and named.strip().lower() != delivery.shop_domain


def _fingerprint(delivery: Delivery, topic: str, body: bytes) -> str:
    parts = (topic.encode(), delivery.shop_domain.encode(), body)
    return "body:" + hashlib.sha256(b"\n".join(parts)).hexdigest()
