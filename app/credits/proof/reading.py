"""Reading the ledger with its proof: a page for people, lines for an export. Steps; no writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.core.uow import require_unit_of_work, unit_of_work
from app.credits.models import TransferKind
from app.credits.proof import queries
from app.credits.proof.lines import BEFORE_ALL, SealedFacts, transfer_line
from app.credits.proof.verifying import FACTS

AT_ONCE = 1_000
KINDS = tuple(str(kind) for kind in TransferKind)
MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class TransferFilter:
    """Which transfers are wanted. None asks for nothing; `ends_at` is exclusive."""

    kind: str | None = None
    run_ids: Sequence[int] | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True)
class SealRange:
    """Seals that follow each other, by number, and the seal that they are laid on."""

    first: int
    last: int
    below: Row[Any] | None

    @property
    def after_transfer_id(self) -> int:
        return int(self.below.last_transfer_id) if self.below else 0


def newest_transfers(
    shop_id: int, wanted: TransferFilter, *, before: int | None, most: int
) -> list[Row[Any]]:
    """Up to `most` wanted transfers with smaller ids than `before`, the newest first, each with its seal.

    A step. Seals say of which time their transfers are, so whole years are stepped over.
    """
    session = require_unit_of_work()
    given = {"shop_id": shop_id, **asdict(wanted)}
    reach = session.execute(queries.REACH_OF, given).one()
    newest = MAX_ID if before is None else before - 1
    rows: list[Row[Any]] = []
    for lower, upper in ((reach.sealed_until, newest), (reach.lower, min(reach.upper, newest))):
        if lower < upper and len(rows) < most:
            bounds = {"lower": lower, "upper": upper, "most": most - len(rows)}
            rows += session.execute(queries.NEWEST_TRANSFERS, given | bounds).all()
    return rows


def seals_of(
    shop_id: int, until: int, starts_at: datetime | None, ends_at: datetime | None
) -> SealRange | None:
    """The seals up to transfer `until` that have transfers of the time, None without any. A step."""
    session = require_unit_of_work()
    given = {"shop_id": shop_id, "until": until, "starts_at": starts_at, "ends_at": ends_at}
    found = session.execute(queries.SEALS_OF, given).one()
    if found.first is None:
        return None
    below = session.execute(queries.SEAL, {"shop_id": shop_id, "number": found.first - 1}).one_or_none()
    return SealRange(found.first, found.last, below)


def sealed_lines(shop_id: int, number: int) -> Iterator[tuple[list[bytes], list[Row[Any]]]]:
    """The lines of the transfers that a seal covers, with their rows, in portions. Opens its own units."""
    with unit_of_work(shop_id) as session:
        seal = session.execute(queries.SEAL, {"shop_id": shop_id, "number": number}).one()
    after = BEFORE_ALL if seal.after_transfer_id is None else seal.after_transfer_id
    while after < seal.last_transfer_id:
        with unit_of_work(shop_id) as session:
            given = {"shop_id": shop_id, "after": after, "last": seal.last_transfer_id, "most": AT_ONCE}
            rows = list(session.execute(queries.TRANSFERS, given))
        if not rows:
            return
        yield [transfer_line(row) for row in rows], rows
        after = rows[-1].id


def seal_of(shop_id: int, number: int) -> Row[Any]:
    """A seal that is there. A use case."""
    with unit_of_work(shop_id) as session:
        return session.execute(queries.SEAL, {"shop_id": shop_id, "number": number}).one()


def seal_line(seal: Any) -> bytes:
    """The line that a seal's hash is of, without that hash."""
    return SealedFacts(**{name: getattr(seal, name) for name in FACTS}).line()


def ids_by_key(shop_id: int, keys: Sequence[str]) -> dict[str, int]:
    """The ids of the transfers that were posted under these keys. A step."""
    rows = require_unit_of_work().execute(queries.IDS_BY_KEY, {"shop_id": shop_id, "keys": list(keys)})
    return {row.key: row.id for row in rows}


def runs_of(shop_id: int, after: int, last: int) -> Sequence[int]:
    """The runs that the transfers behind `after`, up to `last`, are about. A step."""
    given = {"shop_id": shop_id, "after": after, "last": last}
    return require_unit_of_work().scalars(queries.RUNS_OF, given).all()
