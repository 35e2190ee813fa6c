"""Webhook subscriptions: made after the installation, looked after every day.

Shopify deletes a subscription that failed eight times in a row, so what is there today may be gone tomorrow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from app.connections import queries
from app.connections.documents import (
    CREATE_WEBHOOK_SUBSCRIPTION,
    DELETE_WEBHOOK_SUBSCRIPTION,
    SHOP_DETAILS,
    WEBHOOK_SUBSCRIPTIONS,
)
from app.connections.errors import NotConnected
from app.connections.service import tokens
from app.connections.service.describing import learn
from app.connections.topics import wanted
from app.core.clock import now
from app.core.queue import wake
from app.core.uow import across_shops, unit_of_work
from app.core.urls import public_base_url
from app.integrations.shopify.client import ShopifyClient
from app.integrations.shopify.errors import ShopifyError, ShopifyRefused
from app.shops.errors import ShopNotFound

log = structlog.get_logger(__name__)

EVERY = timedelta(days=1)
AFTER_FAILURE = timedelta(hours=1)
BATCH = 20


@dataclass(frozen=True)
class Subscription:
    """A subscription at Shopify."""

    id: str
    topic: str
    uri: str


def ring_for_due_checks() -> None:
    """Ring for the shops whose subscriptions are to be looked at: each daily, and where a bell was lost."""
    moment = now()
    with across_shops("connections that are due belong to any shop") as session:
        queries.forget_states(moment)
        due = session.scalars(
            queries.CLAIM_CHECKS, {"now": moment, "again_at": moment + AFTER_FAILURE, "limit": BATCH}
        ).all()
    for shop_id in due:
        wake("connections.register_webhooks", shop_id)


def register_webhooks(shop_id: int) -> None:
    """Make Shopify post exactly what we want to where we are, and learn what the shop is called.

    Idempotent: what is there already stays. Failing changes nothing; the next check tries again.
    """
    try:
        client = tokens.admin(shop_id)
        present = _set_right(shop_id, client, list(_listed(client)))
        learn_from(shop_id, client)
    except (NotConnected, ShopNotFound):
        return
    except ShopifyError as trouble:
        log.warning("webhooks_not_registered", shop_id=shop_id, reason=str(trouble)[:60])
        return
    _store(shop_id, present)


def learn_from(shop_id: int, client: ShopifyClient) -> None:
    """Ask Shopify what the shop is called and where it is."""
    shop = client.run(SHOP_DETAILS)["shop"]
    address = shop.get("shopAddress") or {}
    facts = {
        "name": shop.get("name"),
        "currency": shop.get("currencyCode"),
        "timezone": shop.get("ianaTimezone"),
        "country": address.get("countryCodeV2"),
    }
    with unit_of_work(shop_id):
        learn(shop_id, facts, shop.get("updatedAt"))


def _listed(client: ShopifyClient) -> Iterator[Subscription]:
    after: str | None = None
    while True:
        page = client.run(WEBHOOK_SUBSCRIPTIONS, {"after": after})["webhookSubscriptions"]
        for node in page["nodes"]:
            yield Subscription(str(node["id"]), str(node["topic"]), str(node["uri"]))
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def _set_right(shop_id: int, client: ShopifyClient, there: list[Subscription]) -> Mapping[str, Subscription]:
    """Create what is missing before deleting what is wrong: an event comes twice rather than not at all."""
    wishes = wanted(public_base_url())
    present = {one.topic: one for one in there if wishes.get(one.topic) == one.uri}
    for topic in wishes.keys() - present.keys():
        made = _create(client, topic, wishes[topic])
        if made:
            present[topic] = made
    for wrong in there:
        if wrong.topic in present and wrong.uri != wishes[wrong.topic]:
            _delete(client, wrong)
    refused = sorted(wishes.keys() - present.keys())
    if refused:
        log.warning("webhooks_refused", shop_id=shop_id, topics=refused)
    return present


def _create(client: ShopifyClient, topic: str, uri: str) -> Subscription | None:
    """None when Shopify refuses this topic, for lack of a scope for instance; the others go on."""
    try:
        made = client.run(CREATE_WEBHOOK_SUBSCRIPTION, {"topic": topic, "uri": uri})
    except ShopifyRefused:
        return None
    node: Mapping[str, Any] = made["webhookSubscriptionCreate"]["webhookSubscription"]
    return Subscription(str(node["id"]), topic, uri)


def _delete(client: ShopifyClient, wrong: Subscription) -> None:
    try:
        client.run(DELETE_WEBHOOK_SUBSCRIPTION, {"id": wrong.id})
    except ShopifyRefused:  # somebody else has deleted it, or the app's own file declares it
        return


def _store(shop_id: int, present: Mapping[str, Subscription]) -> None:
    moment = now()
    topics = sorted(present)
    values = {
        "shop_id": shop_id,
        "topics": topics,
        "uris": [present[topic].uri for topic in topics],
        "ids": [present[topic].id for topic in topics],
        "now": moment,
    }
    with unit_of_work(shop_id) as session:
        queries.forget_subscriptions(shop_id)
        if tokens.is_connected(shop_id):
            session.execute(queries.STORE_SUBSCRIPTIONS, values)
            queries.check_again(shop_id, moment + EVERY)
