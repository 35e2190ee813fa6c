"""The one client for Stripe, and its failures told as ours.

Facts from stripe-python 16.1: the service is chosen by `base_addresses`; the API version is pinned by the
package and must be that of the webhook endpoint; `max_network_retries` repeats a request with its
Idempotency-Key on connection errors, 409 and 5xx, never on 429.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import stripe

from app.core.settings import settings
from app.integrations.stripe.errors import (
    CardRefused,
    StripeFailed,
    StripeNotConfigured,
    StripeObjectMissing,
    StripeRefused,
)

API_VERSION = "2026-10-28.endive"
TIMEOUT_SECONDS = 20


def is_configured() -> bool:
    """Whether this deployment can take payments."""
    return settings().stripe_secret_key is not None


@contextmanager
def stripe_client() -> Iterator[stripe.StripeClient]:
    """The client, for as long as one question takes: `with stripe_client() as stripe: stripe.v1…`.

    Raises StripeNotConfigured, and for what Stripe answers StripeObjectMissing, CardRefused, StripeRefused,
    StripeFailed. Never call it inside a unit of work: a slow answer would hold its locks.
    """
    chosen = settings()
    if chosen.stripe_secret_key is None:
        raise StripeNotConfigured
    try:
        yield _client(chosen.stripe_secret_key, chosen.stripe_api_base)
    except stripe.CardError as refused:
        attempt = getattr(refused.error, "payment_intent", None)
        raise CardRefused(_reason(refused), attempt["id"] if attempt else None) from refused
    except stripe.InvalidRequestError as refused:
        if refused.code == "resource_missing":
            raise StripeObjectMissing(refused.code, refused.param) from refused
        raise StripeRefused(_reason(refused), refused.param) from refused
    except (stripe.AuthenticationError, stripe.PermissionError, stripe.IdempotencyError) as refused:
        raise StripeRefused(_reason(refused)) from refused
    except stripe.StripeError as failed:  # rate limit, connection, 5xx, an answer that is no JSON
        raise StripeFailed(_reason(failed)) from failed


def as_dict(answer: stripe.StripeObject) -> dict[str, Any]:
    """An answer as plain dicts and lists: Stripe's own objects are no dicts."""
    return answer.to_dict()


def _reason(wrong: stripe.StripeError) -> str:
    """Stripe's code, or the error's type. Its sentence may quote what was sent, so it is not kept."""
    decline = getattr(wrong.error, "decline_code", None) if wrong.error else None
    return decline or wrong.code or type(wrong).__name__


@lru_cache(maxsize=8)
def _client(key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": base},
        max_network_retries=2,
        stripe_version=API_VERSION,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
    )
