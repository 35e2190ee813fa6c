"""What is hashed: a transfer and a seal as one line of JSON each.

Seals outlive every version of this code, so these lines never change. Keys come in this order, without
blanks, in ASCII; instants are UTC with microseconds. A line that carries its own hash has it as the last key,
and the hash is of the line without that key: whoever verifies cuts it off and needs no JSON of his own.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

FORMAT = 1
NO_HASH = "0" * 64  # what the first seal of a shop is chained to
MARK_BYTES = 8
BEFORE_ALL = -(2**63)  # the first seal begins behind this id: nothing can be slipped in before it
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


def line_of(content: Mapping[str, Any]) -> bytes:
    """A line of JSON, without its end."""
    return _encode(content).encode("ascii")


def with_last(line: bytes, key: str, value: str) -> bytes:
    """The line with one more key behind all others."""
    return line[:-1] + f',"{key}":"{value}"}}'.encode("ascii")


def transfer_line(row: Any) -> bytes:
    """A transfer. `row` has the columns that `queries.TRANSFERS` names, in its order."""
    return line_of({"type": "transfer", **row._mapping})


@dataclass(frozen=True)
class SealedFacts:
    """What the hash of a seal commits to. Instants are texts, as they stand in lines."""

    shop_id: int
    number: int
    after_transfer_id: int | None
    last_transfer_id: int
    transfers: int
    earliest_at: str
    latest_at: str
    balances: Mapping[str, int]
    previous: str
    content: str
    sealed_at: str

    def line(self) -> bytes:
        facts = {one.name: getattr(self, one.name) for one in fields(self)}
        facts["balances"] = dict(sorted(self.balances.items()))
        return line_of({"type": "seal", "format": FORMAT, **facts})

    def hash(self) -> str:
        return hashlib.sha256(self.line()).hexdigest()


@dataclass
class Walk:
    """What transfers come to, one after the other. Grows by eight bytes a transfer."""

    balances: dict[str, int] = field(default_factory=dict)
    transfers: int = 0
    last_transfer_id: int = 0
    earliest_at: str = "9999"
    latest_at: str = ""
    marks: bytearray = field(default_factory=bytearray)
    first_off: int | None = None

    def __post_init__(self) -> None:
        self.balances = defaultdict(int, self.balances)
        self._content = hashlib.sha256()

    @property
    def content(self) -> str:
        return self._content.hexdigest()

    def take(self, rows: Iterable[Any]) -> list[bytes]:
        """Go on over these transfers; their lines. `first_off` is the first that shows a balance that the
        transfers up to it do not make.
        """
        lines = []
        for row in rows:
            line = transfer_line(row)
            self._content.update(line + b"\n")
            self.marks += hashlib.sha256(line).digest()[:MARK_BYTES]
            self._move(row)
            lines.append(line)
        return lines

    def _move(self, row: Any) -> None:
        mapping = row._mapping
        source, target = str(mapping["from"]), str(mapping["to"])
        self.balances[source] -= row.amount
        self.balances[target] += row.amount
        shown = (row.from_balance_after, row.to_balance_after)
        if self.first_off is None and shown != (self.balances[source], self.balances[target]):
            self.first_off = row.id
        self.transfers += 1
        self.last_transfer_id = row.id
        self.earliest_at = min(self.earliest_at, row.created_at or "")
        self.latest_at = max(self.latest_at, row.created_at or "")


def facts_of(walk: Walk, below: Any, shop_id: int, sealed_at: str) -> SealedFacts:
    """What a seal of the walk's transfers says, laid on `below` (None: the first)."""
    return SealedFacts(
        shop_id=shop_id,
        number=below.number + 1 if below else 1,
        after_transfer_id=below.last_transfer_id if below else None,
        last_transfer_id=walk.last_transfer_id,
        transfers=walk.transfers,
        earliest_at=walk.earliest_at,
        latest_at=walk.latest_at,
        balances=dict(walk.balances),
        previous=below.hash if below else NO_HASH,
        content=walk.content,
        sealed_at=sealed_at,
    )
