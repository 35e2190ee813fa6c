"""Comparing a shop with Shopify once a day: what has changed there and was never delivered comes as events.

Deliveries are lost when an app is away for longer than Shopify repeats them. Each page of changes is asked
for with no transaction open and kept with the place to go on from, so a process may die after any page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from app.connections.errors import NotConnected
from app.connections.service import tokens
from app.core.clock import now
from app.core.queue import wake
from app.core.uow import across_shops, after_commit, unit_of_work
from app.integrations.shopify.client import ShopifyClient
from app.integrations.shopify.errors import ShopifyError
from app.integrations.shopify.events import instant
from app.webhooks import documents
from app.webhooks.models import Kind
from app.webhooks.queries import comparing, shopify
from app.webhooks.service import rest_shapes
from app.webhooks.service.shopify_receiving import BELL, customer_id, object_key

log = structlog.get_logger(__name__)
EVERY = timedelta(hours=20)
FIRST = timedelta(days=1)  # before the first comparison: the import of all customers has seen to the rest
OVERLAP = timedelta(minutes=5)  # changes become visible in Shopify's search a little late
SECONDS = 25.0
SHOPS = 500


@dataclass(frozen=True)
class Question:
    """What is asked, where the answer stands in it, and which event each change is told as."""

    document: str
    member: str
    topic: str
    shape: Callable[[Mapping[str, Any]], dict[str, Any]]


QUESTIONS = {
    Kind.CUSTOMERS: Question(
        documents.CUSTOMERS_CHANGED, "customers", "customers/update", rest_shapes.customer
    ),
    Kind.ORDERS: Question(documents.ORDERS_CHANGED, "orders", "orders/updated", rest_shapes.order),
}


def ring_for_due() -> None:
    """Ring for shops that were not compared for most of a day, or whose comparison was left half done."""
    with across_shops("every shop is compared once a day"):
        shops = comparing.due_shops(now() - EVERY, SHOPS)
    for shop_id in shops:
        wake("webhooks.compare_shop", shop_id)


def compare(shop_id: int) -> bool:
    """Bring the inbox up to what Shopify has; True when time ran out first. Harmless twice."""
    deadline = time.monotonic() + SECONDS
    try:
        client = tokens.admin(shop_id)
        return not all(_compare(shop_id, client, kind, deadline) for kind in Kind)
    except NotConnected:
        return False
    except ShopifyError as trouble:
        log.warning("comparison_failed", shop_id=shop_id, error=type(trouble).__name__)
        return False


def _compare(shop_id: int, client: ShopifyClient, kind: Kind, deadline: float) -> bool:
    with unit_of_work(shop_id):
        walk = comparing.start_walk(shop_id, kind, at=now(), first=now() - FIRST)
    cursor, asked = walk.page_cursor, QUESTIONS[kind]
    while time.monotonic() < deadline:
        variables = {"query": f"updated_at:>='{_written(walk.seen_until - OVERLAP)}'", "after": cursor}
        page = client.run(asked.document, variables)[asked.member]
        cursor = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None
        with unit_of_work(shop_id):
            found = _keep(shop_id, client.domain, asked, page["nodes"])
            if cursor is None:
                comparing.finish(shop_id, kind, found, at=now())
                return True
            comparing.turn_page(shop_id, kind, found, cursor)
    return False


def _keep(shop_id: int, domain: str, asked: Question, nodes: Sequence[Mapping[str, Any]]) -> int:
    """Keep events for the changes that the inbox does not know; how many those are. A step."""
    events = [_event(asked, node) for node in nodes]
    delivered = _delivered(shop_id, events)
    missing = [
        event for event in events if event["triggered_at"] > delivered.get(event["object_key"], _LONG_AGO)
    ]
    if not missing:
        return 0
    after_commit(partial(wake, BELL, shop_id))
    return shopify.store_many(shop_id, domain, missing)


def _event(asked: Question, node: Mapping[str, Any]) -> dict[str, Any]:
    payload = asked.shape(node)
    changed_at = instant(payload["updated_at"]) or now()
    return {
        "topic": asked.topic,
        "external_id": f"reconcile:{asked.topic}:{payload['id']}:{payload['updated_at']}",
        "triggered_at": changed_at,
        "object_key": object_key(asked.topic, payload),
        "customer_id": customer_id(asked.topic, payload),
        "payload": payload,
    }


_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _delivered(shop_id: int, events: Sequence[Mapping[str, Any]]) -> dict[str, datetime]:
    """The newest state of each object that an event of its own has told of."""
    newest: dict[str, datetime] = {}
    keys = [event["object_key"] for event in events]
    for row in comparing.told(shop_id, keys):
        moment = instant(row.updated_at)
        if moment and moment > newest.get(row.object_key, _LONG_AGO):
            newest[row.object_key] = moment
    return newest


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
