"""The leaky bucket of points that every query costs, one per shop (shopify.dev: API rate limits)."""

import threading
import time

from app.sandbox.shopify.settings import Switches
from app.sandbox.switches import SwitchBoard


class Buckets:
    """Points left in each shop."""

    def __init__(self, switches: SwitchBoard[Switches]) -> None:
        self._switches = switches
        self._lock = threading.Lock()
        self._levels: dict[str, tuple[float, float]] = {}  # points, and when they were counted

    def take(self, shop: str, points: float) -> bool:
        """Whether there were so many."""
        with self._lock:
            level = self._level(shop)
            is_enough = points <= level
            self._levels[shop] = (level - points if is_enough else level, time.monotonic())
        return is_enough

    def give_back(self, shop: str, points: float) -> None:
        """A query turned out cheaper than it looked."""
        with self._lock:
            self._levels[shop] = (
                min(self._level(shop) + points, self._switches.now.bucket_points),
                time.monotonic(),
            )

    def empty(self, shop: str) -> None:
        """Nothing left."""
        with self._lock:
            self._levels[shop] = (0.0, time.monotonic())

    def status(self, shop: str) -> dict[str, float]:
        """`throttleStatus` of an answer."""
        with self._lock:
            level = self._level(shop)
        now = self._switches.now
        return {
            "maximumAvailable": now.bucket_points,
            "currentlyAvailable": int(level),
            "restoreRate": now.restore_rate,
        }

    def clear(self) -> None:
        """All full."""
        with self._lock:
            self._levels.clear()

    def _level(self, shop: str) -> float:
        now = self._switches.now
        level, counted_at = self._levels.get(shop, (now.bucket_points, time.monotonic()))
        return min(level + (time.monotonic() - counted_at) * now.restore_rate, now.bucket_points)
