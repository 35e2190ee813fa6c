"""Verifying: everything that a seal says is made anew from the transfers and compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.core.uow import across_shops, unit_of_work
from app.credits.proof import queries
from app.credits.proof.lines import BEFORE_ALL, MARK_BYTES, SealedFacts, Walk, facts_of

AT_ONCE = 2_000
FACTS = tuple(one.name for one in fields(SealedFacts))


@dataclass(frozen=True)
class Difference:
    """The first thing that is not as it was sealed. `transfer_id` where one transfer can be named."""

    seal: int
    what: str
    transfer_id: int | None = None


@dataclass(frozen=True)
class Verdict:
    """What was verified. `unsealed` transfers are younger than the newest seal."""

    shop_id: int
    seals: int
    transfers: int
    unsealed: int
    head: str | None
    balances: Mapping[str, int]
    difference: Difference | None = None


def verify(shop_id: int, *, known: Mapping[int, str] | None = None) -> Verdict:
    """Recompute every seal of the shop from its transfers, up to the first difference. A use case.

    `known` are hashes of seals, by number, from outside the database: an old export or the log. Only they
    tell that the whole chain has been made anew, or cut short.
    """
    below: Any = None
    transfers, difference = 0, None
    while difference is None:
        number = below.number + 1 if below else 1
        with unit_of_work(shop_id) as session:
            seal = _seal(session, shop_id, number)
            if seal is None:
                difference = _missing(session, shop_id, number, known or {})
                break
            difference = _judge(session, below, seal) or _unlike(seal, known or {})
        transfers += 0 if difference else seal.transfers
        below = below if difference else seal
    with unit_of_work(shop_id) as session:
        after = below.last_transfer_id if below else 0
        unsealed = session.scalar(queries.UNSEALED, {"shop_id": shop_id, "after": after}) or 0
    head, number, balances = (below.hash, below.number, below.balances) if below else (None, 0, {})
    return Verdict(shop_id, number, transfers, unsealed, head, balances, difference)


def verify_newest(shop_id: int) -> Difference | None:
    """Recompute the shop's newest seal alone; None when it is as it was made, or there is none."""
    with unit_of_work(shop_id) as session:
        newest = session.execute(queries.NEWEST_SEAL, {"shop_id": shop_id}).one_or_none()
        if newest is None:
            return None
        below = _seal(session, shop_id, newest.number - 1)
        seal = _seal(session, shop_id, newest.number)
        if seal is None or (below is None and newest.number > 1):
            return Difference(newest.number - 1, "the seal is missing")
        return _judge(session, below, seal)


def next_shop_with_seals(after: int) -> int | None:
    """The shop with the next larger id that has seals. A use case, across shops."""
    with across_shops("every shop's ledger is verified") as session:
        shop_id: int | None = session.scalar(queries.NEXT_SHOP_WITH_SEALS, {"after": after})
    return shop_id


def _seal(session: Session, shop_id: int, number: int) -> Row[Any] | None:
    return session.execute(queries.SEAL, {"shop_id": shop_id, "number": number}).one_or_none()


def _missing(session: Session, shop_id: int, number: int, known: Mapping[int, str]) -> Difference | None:
    newest = session.execute(queries.NEWEST_SEAL, {"shop_id": shop_id}).one_or_none()
    if (newest and newest.number > number) or any(one >= number for one in known):
        return Difference(number, "the seal is missing")
    return None


def _unlike(seal: Any, known: Mapping[int, str]) -> Difference | None:
    if known.get(seal.number, seal.hash) == seal.hash:
        return None
    return Difference(seal.number, "the seal has another hash than the one that was given")


def _judge(session: Session, below: Any, seal: Any) -> Difference | None:
    """The seal against its transfers, laid on `below`."""
    stated = SealedFacts(**{name: getattr(seal, name) for name in FACTS})
    marks = bytes(seal.marks)
    is_itself = stated.hash() == seal.hash
    # A seal that was changed may also say falsely where it ends: its marks still say how many there were.
    last = seal.last_transfer_id if is_itself else 2**63 - 1
    most = None if is_itself else len(marks) // MARK_BYTES
    walk, first_unlike = _walk(session, below, seal.shop_id, last, most, marks)
    made = facts_of(walk, below, seal.shop_id, seal.sealed_at)
    if made.content != stated.content and bytes(walk.marks) != marks:
        return _unlike_transfers(seal.number, walk, len(marks) // MARK_BYTES, first_unlike)
    wrong = [name for name in FACTS if getattr(made, name) != getattr(stated, name)]
    if bytes(walk.marks) != marks:
        wrong.append("marks")
    if not wrong and not is_itself:
        wrong = ["hash or sealed_at"]
    if wrong:
        return Difference(seal.number, f"not as it was made: {', '.join(wrong)}")
    if walk.first_off is not None:
        what = "it shows a balance that the transfers up to it do not make"
        return Difference(seal.number, what, walk.first_off)
    return None


def _walk(
    session: Session, below: Any, shop_id: int, last: int, most: int | None, marks: bytes
) -> tuple[Walk, int | None]:
    """The transfers behind `below`, and the id of the first that has not the mark of its place."""
    after = below.last_transfer_id if below else BEFORE_ALL
    walk = Walk(balances=below.balances if below else {}, last_transfer_id=after)
    first_unlike = None
    while most is None or walk.transfers < most:
        portion = AT_ONCE if most is None else min(AT_ONCE, most - walk.transfers)
        given = {"shop_id": shop_id, "after": walk.last_transfer_id, "last": last, "most": portion}
        rows = session.execute(queries.TRANSFERS, given).all()
        begin = len(walk.marks)
        walk.take(rows)
        if first_unlike is None and walk.marks[begin:] != marks[begin : len(walk.marks)]:
            first_unlike = _first_unlike(rows, bytes(walk.marks), marks, begin)
        if len(rows) < portion:
            break
    return walk, first_unlike


def _first_unlike(rows: Any, found: bytes, marks: bytes, begin: int) -> int:
    for place, row in enumerate(rows):
        at = begin + place * MARK_BYTES
        if found[at : at + MARK_BYTES] != marks[at : at + MARK_BYTES]:
            return int(row.id)
    raise AssertionError("the portions differ, so one of their marks does")


def _unlike_transfers(number: int, walk: Walk, sealed: int, first_unlike: int | None) -> Difference:
    if first_unlike is None:
        what = f"{sealed - walk.transfers} of its last transfers are missing"
        return Difference(number, what, walk.last_transfer_id)
    if walk.transfers < sealed:
        what = f"it was changed, or follows one that is missing: {sealed - walk.transfers} of {sealed} are"
    elif walk.transfers > sealed:
        what = f"it was changed or added: there are {walk.transfers}, {sealed} were sealed"
    else:
        what = "it is not what was sealed"
    return Difference(number, what, first_unlike)
