"""The carrier's memory: every text, in SQLite behind one lock.

What a power cut takes is lost; speed matters more here.
"""

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.sandbox.outcomes import DeliveryStatus
from app.sandbox.ticks import now_ticks

SCHEMA = Path(__file__).with_name("schema.sql")
PRAGMAS = ("journal_mode = WAL", "synchronous = OFF", "cache_size = -200000", "temp_store = MEMORY")

INSERT_MESSAGES = """
INSERT INTO messages (seq, id, is_reply, phone, sender, text, account, status, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
TOUCH_CONVERSATIONS = """
INSERT INTO conversations (phone, last_seq) VALUES (?, ?)
ON CONFLICT (phone) DO UPDATE SET last_seq = excluded.last_seq
"""
# The first outcome wins: a report that is posted twice changes nothing the second time.
SETTLE = "UPDATE messages SET status = ?, description = ?, updated_at = ? WHERE id = ? AND status = 'Sent'"
DOUBLED_TEXTS = """
SELECT phone, text, COUNT(*) AS times FROM messages WHERE is_reply = 0
GROUP BY phone, text HAVING times > 1 ORDER BY times DESC LIMIT ?
"""
COUNT_BY_STATUS = """
SELECT CASE is_reply WHEN 1 THEN 'Replies' ELSE status END AS name, COUNT(*) AS times FROM messages GROUP BY 1
"""
DISTINCT_PAIRS = "SELECT COUNT(*) FROM (SELECT DISTINCT phone, text FROM messages WHERE is_reply = 0)"


@dataclass(frozen=True, slots=True)
class NewMessage:
    """One text to remember."""

    id: str
    phone: str
    sender: str
    text: str
    account: str
    is_reply: bool = False


@dataclass(frozen=True, slots=True)
class Settlement:
    """The outcome of one accepted message."""

    id: str
    status: DeliveryStatus
    description: str | None


class Store:
    """All methods are safe to call from any thread; each write is one transaction."""

    def __init__(self, path: str) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        for pragma in (
            "journal_mode = WAL",
            "synchronous = OFF",
            "cache_size = -200000",
            "temp_store = MEMORY",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(SCHEMA.read_text(encoding="utf-8"))
        self._version = time.time_ns() // 1_000_000  # never repeats after a restart, so a page notices
        self._counts: Counter[str] = Counter()
        self._count_again()

    @property
    def version(self) -> int:
        """Grows with every change."""
        return self._version

    @property
    def counts(self) -> Counter[str]:
        """Messages by status, kept by deltas; replies from phones under `Replies`."""
        with self._lock:
            return Counter(self._counts)

    def accept(self, messages: Sequence[NewMessage]) -> None:
        """Remember messages, in this order."""
        moment, sent = now_ticks(), DeliveryStatus.SENT.value
        rows = [
            (m.id, m.is_reply, m.phone, m.sender, m.text, m.account, sent, moment, moment) for m in messages
        ]
        replies = sum(m.is_reply for m in messages)

        def write(connection: sqlite3.Connection) -> None:
            first = connection.execute("SELECT COALESCE(MAX(seq), 0) + 1 FROM messages").fetchone()[0]
            connection.executemany(INSERT_MESSAGES, [(seq, *row) for seq, row in enumerate(rows, first)])
            connection.executemany(
                TOUCH_CONVERSATIONS, [(m.phone, seq) for seq, m in enumerate(messages, first)]
            )
            self._counts["Replies"] += replies
            self._counts[sent] += len(messages) - replies

        self._write(write)

    def settle(self, settlements: Iterable[Settlement]) -> None:
        """Record outcomes. A message that already has one keeps it."""
        moment = now_ticks()
        by_status: dict[str, list[tuple[Any, ...]]] = {}
        for one in settlements:
            if one.status is not DeliveryStatus.SENT:
                row = (one.status.value, one.description, moment, one.id)
                by_status.setdefault(one.status.value, []).append(row)

        def write(connection: sqlite3.Connection) -> None:
            for status, rows in by_status.items():
                changed = connection.executemany(SETTLE, rows).rowcount
                self._counts[status] += changed
                self._counts[DeliveryStatus.SENT.value] -= changed

        if by_status:
            self._write(write)

    def mark_read(self, phone: str) -> None:
        """Remember that somebody looked at this phone."""
        sql = "UPDATE conversations SET read_seq = last_seq WHERE phone = ? AND read_seq < last_seq"
        self._write(lambda connection: connection.execute(sql, (phone,)))

    def put_webhook(self, webhook_id: str, body: str) -> None:
        """Register or replace a callback."""
        sql = "INSERT OR REPLACE INTO webhooks (id, body) VALUES (?, ?)"
        self._write(lambda connection: connection.execute(sql, (webhook_id, body)))

    def delete_webhook(self, webhook_id: str) -> None:
        """Forget a callback."""
        self._write(lambda connection: connection.execute("DELETE FROM webhooks WHERE id = ?", (webhook_id,)))

    def forget_everything(self) -> None:
        """Empty every table."""

        def write(connection: sqlite3.Connection) -> None:
            for table in ("messages", "conversations", "webhooks"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 -- the names stand one line above
            self._counts.clear()

        self._write(write)

    def rows(self, sql: str, arguments: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Run one read; the statements live in `queries`."""
        with self._lock:
            return self._connection.execute(sql, arguments).fetchall()

    def distinct_texts(self) -> int:
        """How many different (phone, text) pairs were accepted. Reads everything: for the end of a test."""
        return int(self.rows(DISTINCT_PAIRS)[0][0])

    def doubled_texts(self, limit: int) -> list[sqlite3.Row]:
        """Phones that got the same text more than once, worst first. Reads everything, too."""
        return self.rows(DOUBLED_TEXTS, (limit,))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def _write(self, change: Callable[[sqlite3.Connection], object]) -> None:
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                change(self._connection)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
            self._version += 1

    def _count_again(self) -> None:
        self._counts = Counter({row["name"]: row["times"] for row in self.rows(COUNT_BY_STATUS)})
