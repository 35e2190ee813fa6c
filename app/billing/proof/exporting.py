"""The signed file: a line for each transfer as it was sealed, each seal, payment and message, and the end.

Every line but the last has a `mark` as its last key: the beginning of the SHA-256 of the mark before and of
the line without it. It tells which line was changed; that none was, says the signature in the last line.
Nothing is kept while the file is made but the figures of the last line.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.billing.proof import queries
from app.billing.proof.payments import payment_lines
from app.billing.proof.signing import public_key, sign
from app.core.clock import now
from app.core.uow import unit_of_work
from app.credits.proof import reading, sealing
from app.credits.proof.lines import line_of, with_last
from app.credits.proof.reading import SealRange

FORMAT = 1
MARK_LENGTH = 16
MESSAGES_AT_ONCE = 2_000


@dataclass(frozen=True)
class Period:
    """The time that an export is about; whole seals are told, so it may begin earlier and end later."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass
class Tally:
    """What the last line sums up."""

    counts: Counter[str] = field(default_factory=Counter)
    parts: int = 0
    amounts: Counter[str] = field(default_factory=Counter)
    balances: Mapping[str, int] = field(default_factory=dict)
    head: Mapping[str, Any] | None = None
    mark: str = ""

    def __post_init__(self) -> None:
        self._sha = hashlib.sha256()

    def take(self, kind: str, lines: Iterable[bytes]) -> str:
        """The lines as they stand in the file."""
        written = []
        for line in lines:
            self.mark = hashlib.sha256(self.mark.encode() + line).hexdigest()[:MARK_LENGTH]
            written.append(with_last(line, "mark", self.mark) + b"\n")
        self.counts[kind] += len(written)
        text = b"".join(written)
        self._sha.update(text)
        return text.decode("ascii")

    def end(self) -> str:
        """The last line, signed."""
        counted = ("transfer", "seal", "payment", "message")
        line = line_of(
            {
                "type": "end",
                **{f"{kind}s": self.counts[kind] for kind in counted},
                "parts": self.parts,
                "amounts": dict(sorted(self.amounts.items())),
                "balances": dict(sorted(self.balances.items())),
                "head": self.head,
                "sha256": self._sha.hexdigest(),
            }
        )
        return (with_last(line, "signature", sign(line)) + b"\n").decode("ascii")


def export(shop_id: int, period: Period) -> Iterator[str]:
    """The shop's proof of the period, as pieces of a file. A use case; the pieces open units of their own.

    What was posted by now is sealed first.
    """
    return _pieces(shop_id, period, sealing.settled_until(shop_id))


def _pieces(shop_id: int, period: Period, until: int) -> Iterator[str]:
    sealing.seal_until(shop_id, until)
    with unit_of_work(shop_id):
        seals = reading.seals_of(shop_id, until, period.starts_at, period.ends_at)
    tally = Tally()
    yield tally.take("header", [_header(shop_id, period, seals)])
    if seals:
        last = 0
        for number in range(seals.first, seals.last + 1):
            last = yield from _sealed(shop_id, number, tally)
        yield from _messages(shop_id, seals.after_transfer_id, last, tally)
    yield tally.end()


def _header(shop_id: int, period: Period, seals: SealRange | None) -> bytes:
    key = public_key()
    below = seals.below if seals else None
    return line_of(
        {
            "type": "header",
            "format": FORMAT,
            "shop_id": shop_id,
            "from": _instant(period.starts_at),
            "to": _instant(period.ends_at),
            "made_at": _instant(now()),
            "after_seal": below.number if below else 0,
            "after_transfer_id": below.last_transfer_id if below else None,
            "after_hash": below.hash if below else None,
            "balances_before": dict(sorted(below.balances.items())) if below else {},
            "key_id": key.key_id,
            "public_key": key.public_key,
        }
    )


def _instant(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _sealed(shop_id: int, number: int, tally: Tally) -> Generator[str, None, int]:
    """The transfers of a seal with what they were paid with, and the seal; gives its last transfer's id."""
    for lines, rows in reading.sealed_lines(shop_id, number):
        yield tally.take("transfer", lines)
        yield tally.take("payment", map(line_of, payment_lines(shop_id, rows)))
        for row in rows:
            tally.amounts[row.kind] += row.amount
    seal = reading.seal_of(shop_id, number)
    tally.balances, tally.head = seal.balances, {"seal": seal.number, "hash": seal.hash}
    yield tally.take("seal", [with_last(reading.seal_line(seal), "hash", seal.hash)])
    return int(seal.last_transfer_id)


def _messages(shop_id: int, after_transfer: int, last_transfer: int, tally: Tally) -> Iterator[str]:
    """The messages that these transfers charged or refunded, by id."""
    with unit_of_work(shop_id):
        runs = reading.runs_of(shop_id, after_transfer, last_transfer)
        after = queries.first_message_before(shop_id, runs)
    while True:
        with unit_of_work(shop_id):
            page = queries.accepted_messages(shop_id, after, MESSAGES_AT_ONCE)
            ids = reading.ids_by_key(shop_id, sorted({key for row in page for key in _keys(row)}))
        told = [
            line
            for row in page
            if (line := _message(row, ids)) and _is_within(line, after_transfer, last_transfer)
        ]
        tally.parts += sum(line["parts"] for line in told)
        if told:
            yield tally.take("message", map(line_of, told))
        if len(page) < MESSAGES_AT_ONCE:
            return
        after = page[-1].id


def _keys(row: Any) -> list[str]:
    """The keys under which a message may have been charged and refunded, as the senders and reports write."""
    own = f"message:{row.id}"
    return [f"attempt:{row.attempt_id}:capture", f"{own}:capture", f"{own}:refund", f"{own}:refund:allowance"]


def _message(row: Any, ids: Mapping[str, int]) -> dict[str, Any]:
    """A message with the transfers that charged and refunded it. Charged by its report, it has its own."""
    by_attempt, by_report, *refunds = _keys(row)
    return {
        "type": "message",
        "id": row.id,
        "run_id": row.run_id,
        "attempt_id": row.attempt_id,
        "parts": row.parts,
        "state": row.state,
        "provider_message_id": row.provider_message_id,
        "sent_at": row.sent_at,
        "reported_at": row.reported_at,
        "reason": row.reason,
        "charged_by": ids.get(by_report) or ids.get(by_attempt),
        "refunded_by": [ids[key] for key in refunds if key in ids],
    }


def _is_within(line: Mapping[str, Any], after: int, last: int) -> bool:
    """Whether a transfer of the file is about the message. One that nothing charged is told as well."""
    charge = line["charged_by"]
    return charge is None or any(after < one <= last for one in (charge, *line["refunded_by"]))
