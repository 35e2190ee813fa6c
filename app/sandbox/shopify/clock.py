"""Shopify's time: whole seconds, as its API shows them. It can be moved: a token can be old in a moment."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


class Clock:
    """Seconds since 1970, moved by `offset_seconds`."""

    def __init__(self) -> None:
        self.offset_seconds = 0.0

    def now(self) -> int:
        """This second."""
        return int(self.precisely())

    def precisely(self) -> float:
        """This instant."""
        return time.time() + self.offset_seconds


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
