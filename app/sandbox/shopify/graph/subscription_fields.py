"""Webhook subscriptions that the app makes through the API."""

import re
from typing import Any

from app.sandbox.shopify.clock import zulu
from app.sandbox.shopify.gids import gid, number_of
from app.sandbox.shopify.graph.asked import Asked, Info, refused
from app.sandbox.shopify.graph.paging import page_of
from app.sandbox.shopify.shops import Shop
from app.sandbox.shopify.state import Shopify
from app.sandbox.shopify.topics import BY_ENUM, ENUM

KIND = "subscription"
NEEDED = {"customers": "read_customers", "orders": "read_orders", "refunds": "read_orders"}
ADDRESS = re.compile(
    r"https://[^\s/]+\S*|http://(127\.0\.0\.1|localhost)(:\d+)?(/\S*)?|(arn:aws:|pubsub:)\S+"
)


def subscriptions(
    info: Info,
    first: int | None = None,
    after: str | None = None,
    topics: list[str] | None = None,
    uri: str | None = None,
) -> dict[str, Any]:
    """Those of this app, oldest first."""
    asked: Asked = info.context
    found = [
        view(one)
        for one in asked.world.store.changed_since(asked.shop.domain, KIND)
        if (not topics or ENUM[one["topic"]] in topics) and uri in (None, one["uri"])
    ]
    return page_of(found, first, after)


def create(info: Info, topic: str, webhookSubscription: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 -- Shopify's name
    """The same topic at the same address twice is refused."""
    asked: Asked = info.context
    name = BY_ENUM[topic]
    if trouble := _trouble(asked, name, webhookSubscription, but=None):
        return {"webhookSubscription": None, "userErrors": [trouble]}
    body = keep(asked.world, asked.shop, name, webhookSubscription)
    return {"webhookSubscription": view(body), "userErrors": []}


def update(info: Info, id: str, webhookSubscription: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
    """Another address for a subscription."""
    asked: Asked = info.context
    number = number_of("WebhookSubscription", id) or 0
    old = asked.world.store.get(asked.shop.domain, KIND, number)
    if old is None:
        return {
            "webhookSubscription": None,
            "userErrors": [refused("Webhook subscription does not exist", "id")],
        }
    wish = {**old, **webhookSubscription}
    if trouble := _trouble(asked, old["topic"], wish, but=number):
        return {"webhookSubscription": None, "userErrors": [trouble]}
    body = keep(asked.world, asked.shop, old["topic"], wish, old=old)
    return {"webhookSubscription": view(body), "userErrors": []}


def delete(info: Info, id: str) -> dict[str, Any]:
    """Gone at once."""
    asked: Asked = info.context
    number = number_of("WebhookSubscription", id) or 0
    if not asked.world.store.drop(asked.shop.domain, KIND, number):
        trouble = refused("Webhook subscription does not exist", "id")
        return {"deletedWebhookSubscriptionId": None, "userErrors": [trouble]}
    return {"deletedWebhookSubscriptionId": id, "userErrors": []}


def view(body: dict[str, Any]) -> dict[str, Any]:
    """A subscription as GraphQL shows it."""
    return {
        "id": gid("WebhookSubscription", body["id"]),
        "legacyResourceId": str(body["id"]),
        "topic": ENUM[body["topic"]],
        "uri": body["uri"],
        "format": body["format"],
        "filter": body["filter"],
        "includeFields": body["includeFields"],
        "metafieldNamespaces": body["metafieldNamespaces"],
        "createdAt": zulu(body["created_at"]),
        "updatedAt": zulu(body["updated_at"]),
    }


def keep(
    world: Shopify, shop: Shop, topic: str, wish: dict[str, Any], *, old: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Write a subscription down, or the new state of an old one."""
    now = world.clock.now()
    body = {
        "id": old["id"] if old else world.store.take_numbers("WebhookSubscription"),
        "topic": topic,
        "uri": wish["uri"],
        "format": wish.get("format") or "JSON",
        "filter": wish.get("filter"),
        "includeFields": wish.get("includeFields") or [],
        "metafieldNamespaces": wish.get("metafieldNamespaces") or [],
        "created_at": old["created_at"] if old else now,
        "updated_at": now,
    }
    world.store.put(shop.domain, KIND, body["id"], body, at=now, token=topic)
    return body


def _trouble(asked: Asked, topic: str, wish: dict[str, Any], *, but: int | None) -> dict[str, Any] | None:
    if asked.refusal:
        return refused(asked.refusal.message, "webhookSubscription")
    uri = wish.get("uri") or ""
    if not ADDRESS.fullmatch(uri):
        return refused("Address is invalid", "webhookSubscription", "uri")
    if not asked.access.may(NEEDED.get(topic.partition("/")[0], "")) and topic.partition("/")[0] in NEEDED:
        return refused(
            "You do not have access to this topic. Please check your access scopes.", "webhookSubscription"
        )
    others = asked.world.store.changed_since(asked.shop.domain, KIND)
    if any(one["topic"] == topic and one["uri"] == uri and one["id"] != but for one in others):
        return refused("Address for this topic has already been taken", "webhookSubscription", "uri")
    return None


QUERY = {"webhookSubscriptions": subscriptions}
MUTATION = {
    "webhookSubscriptionCreate": create,
    "webhookSubscriptionUpdate": update,
    "webhookSubscriptionDelete": delete,
}
