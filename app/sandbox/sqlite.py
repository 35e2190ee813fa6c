"""SQLite behind one lock: a pretended service's memory. Speed matters more than what a power cut takes."""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PRAGMAS = ("journal_mode = WAL", "synchronous = OFF", "cache_size = -20000", "temp_store = MEMORY")


class Database:
    """All methods are safe to call from any thread; `changing` makes several writes one transaction."""

    def __init__(self, path: str, schema: Path) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._afterwards: list[Callable[[], None]] = []
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        for pragma in PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(schema.read_text(encoding="utf-8"))

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One transaction; inside another one, a part of that."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN")
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._afterwards.clear()
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1
            waiting = [] if self._depth else self._afterwards[:]
            if not self._depth:
                self._afterwards.clear()
        for call in waiting:
            call()

    def afterwards(self, call: Callable[[], None]) -> None:
        """Call it when the transaction under way is done, or now when there is none."""
        with self._lock:
            is_under_way = self._depth > 0
            if is_under_way:
                self._afterwards.append(call)
        if not is_under_way:
            call()

    def run(self, sql: str, arguments: Sequence[Any] = ()) -> int:
        """Change something; how many rows it met."""
        with self._lock:
            return self._connection.execute(sql, arguments).rowcount

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """The same change for many rows, in one transaction. `rows` may be a generator."""
        with self.changing():
            self._connection.executemany(sql, rows)

    def rows(self, sql: str, arguments: Sequence[Any] | Mapping[str, Any] = ()) -> list[sqlite3.Row]:
        """Run one read."""
        with self._lock:
            return self._connection.execute(sql, arguments).fetchall()

    def row(self, sql: str, arguments: Sequence[Any] = ()) -> sqlite3.Row | None:
        """The first row of a read."""
        found = self.rows(sql, arguments)
        return found[0] if found else None

    def empty(self, tables: Iterable[str]) -> None:
        """Delete every row of these tables."""
        with self.changing():
            for table in tables:
                self.run(f"DELETE FROM {table}")  # noqa: S608 -- the callers' own names

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()
