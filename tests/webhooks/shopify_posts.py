"""What Shopify posts: signed bodies, and handlers of the tests' own for working them off."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core.settings import settings
from app.core.uow import across_shops
from app.integrations.shopify.signatures import webhook_signature
from app.shops.models import Shop
from app.webhooks import jobs
from app.webhooks.service import shopify_topics
from app.webhooks.service.shopify_topics import Handler

ANY_TOPIC = "/webhooks/shopify"
TRIGGERED_AT = "2026-11-24T10:00:00.000000Z"
ids = itertools.count(1)


def headers_of(
    shop: Shop | str, topic: str, body: bytes, *, webhook_id: str | None = None, secret: str | None = None
) -> dict[str, str]:
    """The headers of one delivery, signed with the app's secret unless another one is given."""
    secret = secret or settings().shopify_api_secret.partition(",")[0]
    return {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": shop if isinstance(shop, str) else shop.domain,
        "X-Shopify-Webhook-Id": webhook_id or f"delivery-{next(ids)}",
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Triggered-At": TRIGGERED_AT,
        "X-Shopify-Hmac-Sha256": webhook_signature(body, secret),
    }


def post(
    client: FlaskClient,
    shop: Shop | str,
    topic: str,
    payload: object,
    *,
    path: str = ANY_TOPIC,
    **details: Any,
) -> TestResponse:
    """Post `payload` (bytes as they are, else as JSON) as Shopify would."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return client.post(path, data=body, headers=headers_of(shop, topic, body, **details))


@contextmanager
def handled(topic: str, handler: Handler) -> Iterator[None]:
    """While this lasts, the topic's events are given to a handler of the test's own."""
    before = shopify_topics.HANDLERS.get(topic)
    shopify_topics.HANDLERS[topic] = handler
    try:
        yield
    finally:
        if before is None:
            del shopify_topics.HANDLERS[topic]
        else:
            shopify_topics.HANDLERS[topic] = before


def let_time_pass() -> None:
    """Every wait in the inbox is over."""
    with across_shops("a test lets time pass") as session:
        session.execute(sa.text("UPDATE webhook_inbox SET available_at = now() - interval '1 second'"))


def work(shop: Shop) -> None:
    """All waits are over, and the shop's bell is answered."""
    let_time_pass()
    jobs.apply_shopify(shop.id)
