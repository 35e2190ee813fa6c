"""Real threads on real connections, and how to know that one of them waits for another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Flask

PATIENCE_SECONDS = 10
# pg_locks hides nothing from anybody, as pg_stat_activity does. A wait for a row is a wait for a transaction,
# which belongs to no database: the same backend's other locks say which one it works in.
WAITING = """
SELECT count(DISTINCT w.pid) FROM pg_locks w JOIN pg_locks o USING (pid)
WHERE NOT w.granted AND o.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


class Background:
    """Runs `work` in a thread inside the app's context; `result` gives or raises what it did."""

    def __init__(self, app: Flask, work: Callable[[], Any]) -> None:
        self._app, self._work = app, work
        self._value: Any = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._app.app_context():
            try:
                self._value = self._work()
            except BaseException as failure:
                self._failure = failure

    def result(self) -> Any:
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "the thread hangs"
        if self._failure:
            raise self._failure
        return self._value


def until_blocked(owner: sa.Engine, count: int = 1) -> None:
    """Return when `count` connections wait for somebody's lock."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with owner.connect() as connection:
        while connection.exec_driver_sql(WAITING).scalar_one() < count:
            assert time.monotonic() < deadline, "nobody waits for a lock"
            time.sleep(0.005)


def all_at_once(app: Flask, count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run `work(0)` … `work(count - 1)` in threads that start together; gives results, or what was raised."""
    together = threading.Barrier(count)

    def one(number: int) -> Any:
        together.wait(PATIENCE_SECONDS)
        try:
            return work(number)
        except Exception as failure:
            return failure

    running = [Background(app, lambda number=number: one(number)) for number in range(count)]
    return [each.result() for each in running]
