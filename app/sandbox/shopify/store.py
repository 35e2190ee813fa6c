"""Shopify's memory: SQLite behind one lock. What a power cut takes is lost; speed matters more here."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.sandbox.shopify.gids import FIRST_NUMBERS

SCHEMA = Path(__file__).with_name("schema.sql")
PRAGMAS = ("journal_mode = WAL", "synchronous = OFF", "cache_size = -20000", "temp_store = MEMORY")
TABLES = ("numbers", "shops", "customers", "documents", "discount_codes", "tokens")

PUT_DOCUMENT = """
INSERT INTO documents (shop, kind, id, token, updated_at, body) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (shop, kind, id) DO UPDATE
SET token = excluded.token, updated_at = excluded.updated_at, body = excluded.body
"""
NEWEST = "SELECT body FROM documents WHERE shop = ? AND kind = ? ORDER BY updated_at DESC, id DESC LIMIT ?"
CHANGED_SINCE = """
SELECT body FROM documents WHERE shop = ? AND kind = ? AND updated_at >= ? AND id > ? ORDER BY id LIMIT ?
"""
TAKE_NUMBERS = """
INSERT INTO numbers (kind, last) VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET last = last + ? RETURNING last
"""

Document = dict[str, Any]


class ShopStore:
    """All methods are safe to call from any thread; `changing` makes several writes one transaction."""

    def __init__(self, path: str) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        for pragma in PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(SCHEMA.read_text(encoding="utf-8"))

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
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

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

    def take_numbers(self, kind: str, count: int = 1) -> int:
        """The first of `count` new numbers of this kind."""
        start = FIRST_NUMBERS[kind] + count - 1
        with self._lock:
            last = self._connection.execute(TAKE_NUMBERS, (kind, start, count)).fetchone()[0]
        return int(last) - count + 1

    def put(
        self, shop: str, kind: str, number: int, body: Document, *, at: int, token: str | None = None
    ) -> None:
        """Remember a document, or its new state."""
        self.run(PUT_DOCUMENT, (shop, kind, number, token, at, json.dumps(body, ensure_ascii=False)))

    def get(self, shop: str, kind: str, number: int) -> Document | None:
        """A document by its number."""
        return self._document("shop = ? AND kind = ? AND id = ?", (shop, kind, number))

    def by_token(self, shop: str, kind: str, token: str) -> Document | None:
        """A document by its token."""
        return self._document("shop = ? AND kind = ? AND token = ?", (shop, kind, token))

    def newest(self, shop: str, kind: str, limit: int) -> list[Document]:
        """The last changed documents, newest first."""
        return [json.loads(row["body"]) for row in self.rows(NEWEST, (shop, kind, limit))]

    def changed_since(
        self, shop: str, kind: str, *, since: int = 0, after: int = 0, limit: int = -1
    ) -> list[Document]:
        """Documents changed at or after `since`, by number."""
        found = self.rows(CHANGED_SINCE, (shop, kind, since, after, limit))
        return [json.loads(row["body"]) for row in found]

    def drop(self, shop: str, kind: str, number: int) -> bool:
        """Forget a document; whether there was one."""
        return (
            self.run("DELETE FROM documents WHERE shop = ? AND kind = ? AND id = ?", (shop, kind, number)) > 0
        )

    def forget_everything(self) -> None:
        """Empty every table."""
        with self.changing():
            for table in TABLES:
                self.run(f"DELETE FROM {table}")  # noqa: S608 -- the names stand above

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def _document(self, where: str, arguments: Sequence[Any]) -> Document | None:
        row = self.row(f"SELECT body FROM documents WHERE {where}", arguments)  # noqa: S608 -- our own words
        found: Document | None = json.loads(row["body"]) if row else None
        return found
