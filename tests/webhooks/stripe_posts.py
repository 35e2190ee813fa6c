"""What Stripe posts: signed bodies, and handlers of the tests' own for working them off."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import stripe
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core.settings import settings
from app.webhooks import jobs
from app.webhooks.service import stripe_topics
from app.webhooks.service.stripe_topics import Handler
from tests.webhooks.shopify_posts import let_time_pass

PATH = "/webhooks/stripe"
PAID = "invoice.paid"
CREATED = 1_700_000_000
numbers = itertools.count(1)


def an_event(type: str = PAID, *, event_id: str | None = None, **members: Any) -> dict[str, Any]:
    """An event as Stripe writes it; `members` are those of its object."""
    number = next(numbers)
    about = {"id": f"in_{number}", "object": "invoice", "customer": "cus_1", **members}
    return {
        "id": event_id or f"evt_{number}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": CREATED,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": type,
        "data": {"object": about},
    }


def signature(body: bytes, secret: str | None = None, *, age_seconds: float = 0) -> str:
    """The header of `body`, signed so long ago with the newest secret, or with another one."""
    secret = secret or settings().stripe_webhook_secrets[0]
    return stripe.WebhookSignature.generate_signature_header(
        body.decode(), secret, timestamp=int(time.time() - age_seconds)
    )


def post(client: FlaskClient, event: object, *, header: str | None = None) -> TestResponse:
    """Post an event (bytes as they are, else as JSON) as Stripe would, under its signature or `header`."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    headers = {"Stripe-Signature": signature(body) if header is None else header}
    return client.post(PATH, data=body, headers=headers, content_type="application/json; charset=utf-8")


@contextmanager
def handled(*handlers: Handler, type: str = PAID) -> Iterator[None]:
    """While this lasts, events of the type are given to handlers of the test's own."""
    before = stripe_topics.HANDLERS.get(type)
    stripe_topics.HANDLERS[type] = handlers
    try:
        yield
    finally:
        if before is None:
            del stripe_topics.HANDLERS[type]
        else:
            stripe_topics.HANDLERS[type] = before


def work() -> None:
    """All waits are over, and the bell is answered."""
    let_time_pass()
    jobs.apply_stripe()
