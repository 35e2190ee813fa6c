"""Shopify's memory, in SQLite."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.sandbox.shopify.gids import FIRST_NUMBERS
from app.sandbox.sqlite import Database

SCHEMA = Path(__file__).with_name("schema.sql")
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


class ShopStore(Database):
    """All methods are safe to call from any thread; `changing` makes several writes one transaction."""

    def __init__(self, path: str) -> None:
        super().__init__(path, SCHEMA)

    def take_numbers(self, kind: str, count: int = 1) -> int:
        """The first of `count` new numbers of this kind."""
        start = FIRST_NUMBERS[kind] + count - 1
        last = self.rows(TAKE_NUMBERS, (kind, start, count))[0][0]
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
        self.empty(TABLES)

    def _document(self, where: str, arguments: Sequence[Any]) -> Document | None:
        row = self.row(f"SELECT body FROM documents WHERE {where}", arguments)  # noqa: S608 -- our own words
        found: Document | None = json.loads(row["body"]) if row else None
        return found
