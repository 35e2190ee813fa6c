"""Stripe's memory, in SQLite: every object is one JSON document."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from app.sandbox.sqlite import Database

SCHEMA = Path(__file__).with_name("schema.sql")
TABLES = ("documents", "idempotency_keys")

PUT = """
INSERT INTO documents (object, id, body, kept) VALUES (?, ?, ?, ?)
ON CONFLICT (object, id) DO UPDATE SET body = excluded.body
"""
KEEP = "UPDATE documents SET kept = ? WHERE object = ? AND id = ?"
NEWEST_FIRST = "SELECT body FROM documents WHERE {where} ORDER BY seq DESC LIMIT ?"

SEQ = "(SELECT seq FROM documents WHERE object = ? AND id = ?)"
SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

Document = dict[str, Any]


class StripeStore(Database):
    """Objects by kind (their `object`) and id, and lists of them, newest first."""

    def __init__(self, path: str) -> None:
        super().__init__(path, SCHEMA)

    def put(self, document: Document, *, kept: Document | None = None) -> Document:
        """Remember an object, or its new state; `kept` is what the API never shows."""
        kind, number = document["object"], document["id"]
        self.run(PUT, (kind, number, _text(document), _text(kept or {})))
        if kept is not None:
            self.run(KEEP, (_text(kept), kind, number))
        return document

    def get(self, kind: str, number: str | None) -> Document | None:
        """An object by its id."""
        row = self.row("SELECT body FROM documents WHERE object = ? AND id = ?", (kind, number))
        return _document(row, "body") if row else None

    def known(self, kind: str, number: str | None) -> Document:
        """An object that must exist. Raises LookupError."""
        found = self.get(kind, number)
        if found is None:
            raise LookupError(f"No such {kind}: {number}")
        return found

    def kept(self, kind: str, number: str | None) -> Document:
        """What is kept of an object beside what the API shows."""
        row = self.row("SELECT kept FROM documents WHERE object = ? AND id = ?", (kind, number))
        return _document(row, "kept") if row else {}

    def find(self, kind: str, **members: Any) -> list[Document]:
        """All objects whose members equal these, newest first."""
        where, arguments = _where(kind, members)
        rows = self.rows(NEWEST_FIRST.format(where=where), (*arguments, -1))
        return [_document(row, "body") for row in rows]

    def page(
        self,
        kind: str,
        members: Document,
        *,
        limit: int,
        after: str | None = None,
        before: str | None = None,
        created: Document | None = None,
    ) -> list[Document]:
        """At most `limit`, newest first: older than `after`, newer than `before`, `created` {gt, gte, …}."""
        where, arguments = _where(kind, members)
        for sign, number in (("<", after), (">", before)):
            if number is not None:
                where += f" AND seq {sign} {SEQ}"
                arguments += [kind, number]
        for name, moment in (created or {}).items():
            where += f" AND json_extract(body, '$.created') {SIGNS[name]} ?"
            arguments.append(moment)
        order = NEWEST_FIRST if before is None else NEWEST_FIRST.replace("DESC", "ASC")
        rows = self.rows(order.format(where=where), (*arguments, limit))
        found = [_document(row, "body") for row in rows]
        return found if before is None else found[::-1]

    def drop(self, kind: str, number: str) -> None:
        """Forget an object."""
        self.run("DELETE FROM documents WHERE object = ? AND id = ?", (kind, number))

    def forget_everything(self) -> None:
        """Empty every table."""
        self.empty(TABLES)


def _where(kind: str, members: Document) -> tuple[str, list[Any]]:
    conditions = ["object = ?", *(f"json_extract(body, '$.{name}') = ?" for name in members)]
    return " AND ".join(conditions), [kind, *members.values()]


def _text(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False)


def _document(row: sqlite3.Row, column: str) -> Document:
    found: Document = json.loads(row[column])
    return found
