"""What all processes together have counted since Redis was last emptied.

Processes run on several machines, so neither a process's own numbers nor a directory of files is the whole;
Redis is what they share. A process counts in memory and hands its numbers over once a second, whatever their
number: counting costs a dictionary's entry. What a killed process had not handed over is lost, as is
everything with Redis: a scraper takes the fall for a restart.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock, Timer
from typing import cast

from flask import Flask, Response, current_app, g, request
from redis import Redis, RedisError

EXTENSION = "astronote.metrics"
KEY = "metrics:counted"
HAND_OVER_SECONDS = 1.0
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
ENDLESS = "+Inf"
# Every counter: what it counts, and by what. A name that is not here is a bug.
COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "api_requests_total": ("Requests answered", ("route", "method", "status")),
    "api_request_seconds": ("Time to answer a request", ("blueprint", "le")),
    "api_request_seconds_sum": ("", ("blueprint",)),
    "cache_lookups_total": ("Kept answers that were found, made, or passed by", ("family", "result")),
    "db_transactions_total": ("Units of work that ended", ("result",)),
    "sms_calls_total": ("Calls to the carrier", ("result",)),
    "sms_messages_total": ("Messages in answered calls", ("outcome",)),
    "jobs_total": ("Jobs that ended", ("topic", "result")),
}
Series = tuple[str, tuple[str, ...]]


@dataclass
class Tally:
    """What this process has counted and not yet handed over."""

    redis: Redis
    _counted: dict[Series, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _is_waiting: bool = False

    def add(self, series: Series, by: float) -> None:
        with self._lock:
            self._counted[series] = self._counted.get(series, 0) + by
            if self._is_waiting:
                return
            self._is_waiting = True
        timer = Timer(HAND_OVER_SECONDS, self.hand_over)
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:  # no thread to be had: whoever counts next tries again, and nobody fails
            self._is_waiting = False

    def hand_over(self) -> None:
        """Add what was counted to everybody's. Without Redis it waits for the next time."""
        with self._lock:
            counted, self._counted, self._is_waiting = self._counted, {}, False
        if not counted:
            return
        try:
            with self.redis.pipeline(transaction=True) as adding:
                for (name, labels), value in counted.items():
                    adding.hincrbyfloat(KEY, json.dumps([name, *labels]), value)
                adding.execute()
        except RedisError:
            with self._lock:
                for series, value in counted.items():
                    self._counted[series] = self._counted.get(series, 0) + value


def init_metrics(app: Flask, url: str) -> None:
    """Count every request from here on. Connects when it first hands over."""
    app.extensions[EXTENSION] = Tally(Redis.from_url(url, socket_connect_timeout=0.5, socket_timeout=0.5))
    app.after_request(_count_request)


def count(name: str, *labels: str, by: float = 1) -> None:
    """Add to a counter. Raises nothing for an absent Redis."""
    tally().add((name, labels), by)


def tally() -> Tally:
    return cast(Tally, current_app.extensions[EXTENSION])


def counted() -> dict[Series, float]:
    """What all processes have handed over, this one's last included. Empty while Redis is away."""
    found: dict[bytes, bytes] = {}
    with suppress(RedisError):
        tally().hand_over()
        found = cast("dict[bytes, bytes]", tally().redis.hgetall(KEY))
    return dict(sorted(_known(found)))


def _known(found: dict[bytes, bytes]) -> Iterator[tuple[Series, float]]:
    """Without what another version of the program counts otherwise."""
    for series, value in found.items():
        name, *labels = json.loads(series)
        if name in COUNTERS and len(COUNTERS[name][1]) == len(labels):
            yield (name, tuple(labels)), float(value)


def _count_request(response: Response) -> Response:
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    blueprint = request.blueprint or "none"
    reached = next((str(limit) for limit in BUCKETS if seconds <= limit), ENDLESS)
    # The rule, never the path: paths carry link tokens.
    count("api_requests_total", str(request.url_rule), request.method, str(response.status_code))
    count("api_request_seconds", blueprint, reached)
    count("api_request_seconds_sum", blueprint, by=seconds)
    return response
