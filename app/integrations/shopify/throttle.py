"""The budget that all calls to one shop share, as its last answer told.

Shopify: a leaky bucket of points per app and shop; each query costs points, and the answer says how many are
left and how fast they come back. The memory is one process's: another process's calls show up as THROTTLED.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

MOST_SHOPS = 1000
LEAST_RATE = 1.0


@dataclass(frozen=True)
class Level:
    """What was left of a shop's points at a moment of the monotonic clock."""

    points: float
    restored_per_second: float
    most: float
    at: float

    def seconds_until(self, cost: float) -> float:
        """How long until there are `cost` points, or as many as there can be."""
        since = time.monotonic() - self.at
        missing = min(cost, self.most) - (self.points + since * self.restored_per_second)
        return max(0.0, missing / self.restored_per_second)


class Throttle:
    """What is known of the shops' budgets. Threads may share it; it forgets the shops not used longest."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._levels: OrderedDict[str, Level] = OrderedDict()

    def seconds_until(self, domain: str, cost: float) -> float:
        """How long a query of `cost` points should wait; 0 for a shop of which nothing is known."""
        with self._lock:
            level = self._levels.get(domain)
        return level.seconds_until(cost) if level else 0.0

    def note(self, domain: str, status: Any) -> None:
        """Take in the `throttleStatus` of an answer; anything else changes nothing."""
        level = _read(status)
        if level is None:
            return
        with self._lock:
            self._levels[domain] = level
            self._levels.move_to_end(domain)
            while len(self._levels) > MOST_SHOPS:
                self._levels.popitem(last=False)


def _read(status: Any) -> Level | None:
    try:
        return Level(
            points=float(status["currentlyAvailable"]),
            restored_per_second=max(LEAST_RATE, float(status["restoreRate"])),
            most=float(status["maximumAvailable"]),
            at=time.monotonic(),
        )
    except (KeyError, TypeError, ValueError):
        return None
