"""How long answers take over real HTTP, and how many SQL statements they need."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.core.database import db
from bench.arena import Arena
from bench.http_load import Connection

WARM_UP = 3
PATIENCE_SECONDS = 6.0  # for one read; slow ones are measured less often
LEAST = 12
NAMES_THE_SHOP = "set_config('app.shop_id'"


@dataclass(frozen=True)
class Latency:
    """Milliseconds of `n` answers in turn on one kept-alive connection."""

    p50: float
    p95: float
    n: int


class Reader:
    """A signed-in client that reads, from the web process or, to count statements, in this process."""

    def __init__(self, arena: Arena, token: str, times: int) -> None:
        self._arena = arena
        self._headers = {"Authorization": f"Bearer {token}"}
        self._connection = Connection("127.0.0.1", arena.world.web_port)
        self._times = times

    def get(self, path: str) -> Any:
        """What the web process answers, as data."""
        head, body = self._answer(self._request(path))
        assert head[9:12] == b"200", (path, head, body[:500])
        return json.loads(body)["data"]

    def computed(self, path: str) -> Latency:
        """With no answer kept: each one is computed, and kept for nothing."""
        return self._measure(path, self.forget_answers)

    def kept(self, path: str) -> Latency | None:
        """With the answer kept; None for a route that keeps none."""
        head, _ = self._answer(self._request(path))
        if b"\r\nX-Cache:" not in head:
            return None
        return self._measure(path, lambda: None)

    def statements(self, path: str) -> int:
        """The SQL statements of a computed answer, without those that set the tenant: the settings of each
        transaction, and the sign-in's one read of the shop.
        """
        self.forget_answers()
        with _counting() as seen:
            answer = self._arena.app.test_client().get(path, headers=self._headers)
            answer.get_data()
        assert answer.status_code == 200, (path, answer.text)
        assert "FROM shops" in seen[0], seen[0]
        return len(seen) - 1

    def forget_answers(self) -> None:
        connection = self._arena.redis()
        if kept := list(connection.scan_iter("answers:*", count=1000)):
            connection.delete(*kept)

    def close(self) -> None:
        self._connection.close()

    def _measure(self, path: str, before: Callable[[], None]) -> Latency:
        request, taken = self._request(path), []
        deadline = time.monotonic() + PATIENCE_SECONDS
        for turn in range(self._times + WARM_UP):
            before()
            start = time.perf_counter()
            head, _ = self._answer(request)
            took = time.perf_counter() - start
            assert head[9:12] == b"200", (path, head)
            if turn >= WARM_UP:
                taken.append(took * 1000)
            if time.monotonic() > deadline and len(taken) >= LEAST:
                break
        return Latency(statistics.median(taken), _p95(taken), len(taken))

    def _answer(self, request: bytes) -> tuple[bytes, bytes]:
        return self._connection.answer_to(request)

    def _request(self, path: str) -> bytes:
        lines = "".join(f"{name}: {value}\r\n" for name, value in self._headers.items())
        return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n".encode()


def _p95(taken: list[float]) -> float:
    return sorted(taken)[max(0, -(-len(taken) * 95 // 100) - 1)]


@contextmanager
def _counting() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if NAMES_THE_SHOP not in statement:
            seen.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
