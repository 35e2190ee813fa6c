"""The books themselves, read past the API: the demo compares what it is told with what is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2

TRANSFERS = "SELECT kind, sum(amount)::bigint FROM ledger_transfers WHERE shop_id = %s GROUP BY kind"
REFUNDED = """
    SELECT count(DISTINCT message_id) FROM ledger_transfers WHERE shop_id = %s AND kind = 'refund'"""
NEXT_NUMBER = r"""
    SELECT coalesce(max(substring(domain FROM '^demo-(\d+)\.')::int), 0) + 1 FROM shops
    WHERE domain ~ '^demo-\d{1,6}\.myshopify\.com$'"""


@dataclass(frozen=True)
class Books:
    """A shop's transfers by kind, in credits. `given` has what was bought, `refunded_messages` are texts."""

    given: int
    bought: int
    held: int
    captured: int
    released: int
    refunded: int
    refunded_messages: int


class Ledger:
    """Reads the database in transactions of its own; writes nothing."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def next_demo_number(self) -> int:
        """The number of the next demo shop."""
        with self._reading() as cursor:
            cursor.execute(NEXT_NUMBER)
            return int(cursor.fetchone()[0])

    def books(self, shop_id: int) -> Books:
        """What has moved on the shop's accounts so far."""
        with self._reading() as cursor:
            cursor.execute(TRANSFERS, (shop_id,))
            moved = dict(cursor.fetchall())
            cursor.execute(REFUNDED, (shop_id,))
            refunded_messages = int(cursor.fetchone()[0])
        return Books(
            given=moved.get("grant", 0) + moved.get("allowance", 0) + moved.get("purchase", 0),
            bought=moved.get("purchase", 0),
            held=moved.get("hold", 0),
            captured=moved.get("capture", 0),
            released=moved.get("release", 0),
            refunded=moved.get("refund", 0),
            refunded_messages=refunded_messages,
        )

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        connection = psycopg2.connect(self._url)
        try:
            connection.set_session(readonly=True)
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('app.all_shops', 'on', true)")
                yield cursor
        finally:
            connection.close()
