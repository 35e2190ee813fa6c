"""Verifying an export without us: needs Python and the package `cryptography`, no database and no other file.

    python checking.py ledger.jsonl <public key>

Memory stays flat: what has to be brought together (charges and their messages) goes into a temporary SQLite
database.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Json = dict[str, Any]
FORMAT = 1
NO_HASH = "0" * 64
LONGEST_LINE = 100_000
LARGEST = 2**63 - 1
MOST_DIFFERENCES = 20
AT_ONCE = 5_000
COUNTED = ("transfer", "seal", "payment", "message")
TABLES = """
    CREATE TABLE charges (id INTEGER PRIMARY KEY, amount INTEGER);
    CREATE TABLE refunds (id INTEGER PRIMARY KEY, message_id INTEGER, amount INTEGER);
    CREATE TABLE messages (id INTEGER PRIMARY KEY, parts INTEGER, state TEXT, charged_by INTEGER,
      refund_first INTEGER, refund_last INTEGER);
    CREATE TABLE keys (key TEXT PRIMARY KEY) WITHOUT ROWID;"""
# Each finds rows (an id, what is wrong). `edge`: the file begins later than the ledger.
JUDGEMENTS = (
    """SELECT c.id, 'transfer ' || c.id || ' charged ' || c.amount || ' credits, its messages have '
         || coalesce(sum(m.parts), 0) || ' parts'
       FROM charges c LEFT JOIN messages m ON m.charged_by = c.id GROUP BY c.id
       HAVING coalesce(sum(m.parts), 0) <> c.amount""",
    """SELECT m.id, 'message ' || m.id || ' was charged by no transfer of this file' FROM messages m
       LEFT JOIN charges c ON c.id = m.charged_by
       WHERE c.id IS NULL AND (m.charged_by IS NULL OR m.charged_by >= :first OR NOT :edge)""",
    """SELECT r.id, 'transfer ' || r.id || ' refunds message ' || r.message_id || ', which is '
         || coalesce(m.state, 'not in this file')
       FROM refunds r LEFT JOIN messages m ON m.id = r.message_id WHERE m.state IS NOT 'undelivered'""",
    """SELECT m.id, 'message ' || m.id || ' was refunded ' || sum(r.amount) || ' credits for '
         || m.parts || ' parts'
       FROM refunds r JOIN messages m ON m.id = r.message_id GROUP BY m.id
       HAVING sum(r.amount) > m.parts
         OR (sum(r.amount) < m.parts AND m.refund_first >= :first AND m.refund_last <= :last)""",
)


@dataclass
class Report:
    """What a file says, and what about it is not so. It is genuine when there are no differences."""

    differences: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    amounts: Counter[str] = field(default_factory=Counter)
    balances: dict[str, int] = field(default_factory=dict)
    parts: int = 0
    head: Json | None = None
    header: Json = field(default_factory=dict)

    def differ(self, what: str) -> None:
        if len(self.differences) < MOST_DIFFERENCES:
            self.differences.append(what)

    def figures(self) -> Iterator[str]:
        """The figures as lines for people."""
        yield "  ".join(f"{self.counts[kind]} {kind}s" for kind in COUNTED) + f"  {self.parts} parts"
        yield from (
            f"  {kind:14} {amount:>12} credits moved" for kind, amount in sorted(self.amounts.items())
        )
        yield from (f"  {kind:14} {balance:>12} on the account" for kind, balance in self.balances.items())
        if self.head:
            yield f"head: seal {self.head['seal']} {self.head['hash']}"


def check(file: BinaryIO, public_key: str) -> Report:
    """Verify the file against a public key (32 bytes in url-safe base64) that you know to be ours.

    ValueError when that is no key.
    """
    key = Ed25519PublicKey.from_public_bytes(_decoded(public_key))
    with closing(sqlite3.connect("")) as books:  # "" is a file of its own that is deleted afterwards
        books.executescript(TABLES)
        reader = Reader(books, key)
        for line in _lines(file):
            reader.read(line)
        reader.finish()
        return reader.report


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(LONGEST_LINE):
        yield line


def cut(line: bytes, key: str) -> tuple[bytes, str]:
    """The line without its last key, and that key's value. ValueError when the last key is another."""
    body, found, rest = line.rpartition(f',"{key}":"'.encode())
    if not found or not rest.endswith(b'"}') or b'"' in rest[:-2]:
        raise ValueError(key)
    return body + b"}", rest[:-2].decode("ascii")


def _decoded(written: str) -> bytes:
    """What is written in url-safe base64. ValueError for any other way to write the same."""
    decoded = urlsafe_b64decode(written)
    if urlsafe_b64encode(decoded).decode() != written:
        raise ValueError("not in url-safe base64")
    return decoded


class Reader:
    """Reads the lines in order and compares each with those before it."""

    def __init__(self, books: sqlite3.Connection, key: Ed25519PublicKey) -> None:
        self.report = Report()
        self._books, self._key = books, key
        self._file, self._content = hashlib.sha256(), hashlib.sha256()
        self._mark, self._number, self._is_ended = "", 0, False
        self._balances: dict[str, int] = defaultdict(int)
        self._seal, self._after, self._previous = 0, None, NO_HASH
        self._transfers_in_seal, self._last, self._first = 0, None, 0
        self._earliest, self._latest = "9999", ""
        self._rows: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._kinds: dict[str, Callable[[Json, bytes], None]] = {
            "header": self._header,
            "transfer": self._transfer,
            "seal": self._sealed,
            "payment": self._payment,
            "message": self._message,
        }

    def read(self, line: bytes) -> None:
        """Take the next line."""
        self._number += 1
        if self._is_ended:
            self.report.differ(f"line {self._number}: there is nothing behind the end")
            return
        try:
            content = json.loads(line)
            kind = content["type"]
            if kind == "end":
                self._end(content, line)
            else:
                self._middle(kind, content, line)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as unreadable:
            what = type(unreadable).__name__
            self.report.differ(f"line {self._number}: cannot be read ({what}: {unreadable})")
        self._file.update(line)

    def _middle(self, kind: str, content: Json, line: bytes) -> None:
        body, mark = cut(line.rstrip(b"\n"), "mark")
        expected = hashlib.sha256(self._mark.encode() + body).hexdigest()[: len(mark)]
        if mark != expected or not mark:
            named = f"{kind} {content.get('id', content.get('number', content.get('transfer', '')))}".strip()
            self.report.differ(f"line {self._number} ({named}): it was changed, or lines before it are gone")
        self._mark = mark
        if (kind == "header") != (self._number == 1):
            self.report.differ(f"line {self._number}: the header stands at the beginning and nowhere else")
        self._kinds[kind](content, body)
        self.report.counts[kind] += 1

    def _header(self, content: Json, _body: bytes) -> None:
        self.report.header = content
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}")
        self._seal, self._after = content["after_seal"], content["after_transfer_id"]
        self._previous = content["after_hash"] or NO_HASH
        self._balances.update(content["balances_before"])

    def _transfer(self, content: Json, body: bytes) -> None:
        source, target, amount = content["from"], content["to"], content["amount"]
        self._balances[source] -= amount
        self._balances[target] += amount
        shown = (content["from_balance_after"], content["to_balance_after"])
        self._expect(
            shown, (self._balances[source], self._balances[target]), f"transfer {content['id']}: balance"
        )
        if not amount > 0 or (self._last or self._after or content["id"] - 1) >= content["id"]:
            self.report.differ(f"transfer {content['id']}: out of order, or no amount")
        self._content.update(body + b"\n")
        self._first = self._first or content["id"]
        self._last, self._transfers_in_seal = content["id"], self._transfers_in_seal + 1
        self._earliest = min(self._earliest, content["created_at"])
        self._latest = max(self._latest, content["created_at"])
        self.report.amounts[content["kind"]] += amount
        self._keep("keys", content["key"])
        if content["kind"] == "capture":
            self._keep("charges", content["id"], amount)
        elif content["kind"] == "refund":
            self._keep("refunds", content["id"], content["message_id"], amount)

    def _sealed(self, content: Json, body: bytes) -> None:
        line, stated = cut(body, "hash")
        made = {
            "shop_id": self.report.header["shop_id"],
            "number": self._seal + 1,
            "after_transfer_id": self._after,
            "last_transfer_id": self._last,
            "transfers": self._transfers_in_seal,
            "earliest_at": self._earliest,
            "latest_at": self._latest,
            "balances": dict(self._balances),
            "previous": self._previous,
            "content": self._content.hexdigest(),
            "hash": hashlib.sha256(line).hexdigest(),
        }
        wrong = [name for name in made if content[name] != made[name]]
        if wrong:
            self.report.differ(f"seal {content['number']}: not as its transfers make it: {', '.join(wrong)}")
        self._seal, self._after, self._previous = content["number"], content["last_transfer_id"], stated
        self._content, self._transfers_in_seal = hashlib.sha256(), 0
        self._earliest, self._latest = "9999", ""
        self.report.head = {"seal": content["number"], "hash": stated}

    def _payment(self, content: Json, _body: bytes) -> None:
        if not isinstance(content["stripe"], list):
            raise ValueError("stripe")

    def _message(self, content: Json, _body: bytes) -> None:
        self.report.parts += content["parts"]
        if not content["provider_message_id"]:
            self.report.differ(f"message {content['id']}: it was charged without the carrier's id")
        charge, refunds = content["charged_by"], content["refunded_by"] or [0]
        of_refunds = (min(refunds), max(refunds))
        self._keep("messages", content["id"], content["parts"], content["state"], charge, *of_refunds)

    def _end(self, content: Json, line: bytes) -> None:
        self._is_ended = True
        signed, signature = cut(line.rstrip(b"\n"), "signature")
        try:
            self._key.verify(_decoded(signature), signed)
        except InvalidSignature:
            self.report.differ("the signature is not that of the given key for this file")
        self.report.balances = dict(sorted(self._balances.items()))
        made = {
            **{f"{kind}s": self.report.counts[kind] for kind in COUNTED},
            "parts": self.report.parts,
            "amounts": dict(self.report.amounts),
            "balances": self.report.balances if self.report.head else {},
            "head": self.report.head,
            "sha256": self._file.hexdigest(),
        }
        wrong = [name for name in made if content[name] != made[name]]
        if wrong:
            self.report.differ(f"the end says otherwise: {', '.join(wrong)}")

    def finish(self) -> None:
        """Judge the file as a whole."""
        if not self._is_ended:
            self.report.differ("the file is cut short: it has no end")
        if self._transfers_in_seal:
            self.report.differ(f"the transfers up to {self._last} stand in no seal")
        if total := sum(self._balances.values()):
            self.report.differ(f"the accounts add up to {total}, not to zero")
        for table in list(self._rows):
            self._write(table)
        given = {
            "first": self._first,
            "last": self._last or 0,
            "edge": bool(self.report.header.get("after_seal")),
        }
        for judgement in JUDGEMENTS:
            for _, what in self._books.execute(judgement, given):
                self.report.differ(what)

    def _expect(self, stated: object, made: object, what: str) -> None:
        if stated != made:
            self.report.differ(f"{what} {stated}, made {made}")

    def _keep(self, table: str, *values: Any) -> None:
        if not all(value is None or isinstance(value, str) or abs(int(value)) <= LARGEST for value in values):
            raise ValueError(table)
        self._rows[table].append(values)
        if len(self._rows[table]) >= AT_ONCE:
            self._write(table)

    def _write(self, table: str) -> None:
        rows = self._rows.pop(table, [])
        places = ", ".join("?" * len(rows[0])) if rows else ""
        before = self._books.total_changes
        self._books.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({places})", rows)  # noqa: S608
        if self._books.total_changes - before < len(rows):
            self.report.differ(f"some of the {table} up to line {self._number} stand there twice")


def _main(arguments: list[str]) -> int:
    path, public_key = arguments
    with Path(path).open("rb") as file:
        report = check(file, public_key)
    told: Iterable[str] = [*report.figures(), *(f"DIFFERENT {what}" for what in report.differences)]
    sys.stdout.write("\n".join([*told, f"{len(report.differences)} differences\n"]))
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
