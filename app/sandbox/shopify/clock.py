"""Shopify's time: whole seconds, as its API and its webhooks show them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def zulu(seconds: int) -> str:
    """`2026-11-23T10:00:00Z`, as GraphQL writes it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def local(seconds: int, zone: str) -> str:
    """`2026-11-23T12:00:00+02:00`, as webhooks write it: in the shop's own time zone."""
    return datetime.fromtimestamp(seconds, ZoneInfo(zone)).isoformat()


def seconds_of(text: str) -> int:
    """Read an ISO-8601 instant. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())
