"""What Shopify tells us: how a delivery is read, and the event that handlers are given.

Facts: shopify.dev "Webhooks", headers and topics; payloads are the objects of the REST Admin API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

Payload = Mapping[str, Any]
TOPIC_MAX, ID_MAX = 100, 200


class Headers(Protocol):
    """Request headers, found in any case."""

    def get(self, name: str) -> str | None: ...


@dataclass(frozen=True)
class ShopifyEvent:
    """One event of one shop, out of the inbox. `id` is the inbox row's; `webhook_id` the delivery's own.

    Deliveries come twice, late and in any order: judge age by the payload's own timestamps.
    """

    id: int
    shop_id: int
    topic: str
    webhook_id: str
    triggered_at: datetime
    payload: dict[str, Any]


@dataclass(frozen=True)
class Delivery:
    """What the headers of one post say. `webhook_id` is the same on every repetition of the delivery."""

    topic: str
    webhook_id: str
    shop_domain: str
    signature: str | None
    triggered_at: datetime | None


def read_delivery(headers: Headers) -> Delivery:
    """Read the headers of a post, absent ones as "". The only place that knows their names."""
    return Delivery(
        topic=_header(headers, "X-Shopify-Topic")[:TOPIC_MAX].lower(),
        webhook_id=_header(headers, "X-Shopify-Webhook-Id")[:ID_MAX],
        shop_domain=_header(headers, "X-Shopify-Shop-Domain")[:ID_MAX].lower(),
        signature=_header(headers, "X-Shopify-Hmac-Sha256") or None,
        triggered_at=instant(_header(headers, "X-Shopify-Triggered-At")),
    )


def instant(value: object) -> datetime | None:
    """A timestamp of Shopify's (ISO 8601 with an offset) as an aware UTC instant; None when it is none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def object_id(value: object) -> int | None:
    """The number of an object, given as a number, its digits, or `gid://shopify/Customer/1`."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    digits = str(value).rpartition("/")[2].partition("?")[0]
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        return None
    return int(digits)


def _header(headers: Headers, name: str) -> str:
    return (headers.get(name) or "").strip()
