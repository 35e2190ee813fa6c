"""Walking along a list of contacts in one of its orders: to a page by number, or on from a cursor.

A list is one or two stretches of an index: the rows that have the value it is ordered by, then those without,
the id deciding between equals. Every stretch is read in the index's own order, so nothing is ever sorted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, func, literal, select, tuple_

from app.contacts.models import Contact
from app.core.uow import require_unit_of_work

Key = str | date | datetime | None
SORTABLE: dict[str, Any] = {
    "createdAt": Contact.created_at,
    "updatedAt": Contact.updated_at,
    "firstName": Contact.first_name,
    "lastName": Contact.last_name,
    "birthDate": Contact.birth_date,
}


@dataclass(frozen=True)
class Position:
    """Where a reader stands: behind the row with this value and this id."""

    key: Key
    contact_id: int


@dataclass(frozen=True)
class Order:
    """By what, and which way. Missing values come last, whichever way, unless it is read backwards."""

    sort_by: str
    descending: bool
    missing_first: bool = False

    @property
    def column(self) -> Any:
        return SORTABLE[self.sort_by]

    def backwards(self) -> Order:
        """The same list from its end."""
        return replace(self, descending=not self.descending, missing_first=not self.missing_first)


def rows_to_walk(chosen: Select[Contact], order: Order, *, are_few: bool) -> Subquery:
    """Ids and sort values of the chosen contacts. Few rows are found first and then sorted: to meet them
    along the order might mean passing everybody else.
    """
    rows = chosen.with_only_columns(Contact.id.label("id"), order.column.label("key"))
    return (rows.offset(0) if are_few else rows).subquery()


def ids_at(rows: Subquery, order: Order, *, offset: int, most: int, total: int | None) -> list[int]:
    """The ids from place `offset` on. With an exact `total`, the nearer end is walked from."""
    if total is not None and offset >= total:
        return []
    if total is not None and offset + most > total // 2:
        most = min(most, total - offset)
        backwards = _ids_at(rows, order.backwards(), total - offset - most, most)
        return backwards[::-1]
    return _ids_at(rows, order, offset, most)


def ids_after(rows: Subquery, order: Order, position: Position | None, most: int) -> list[int]:
    """The next ids behind `position`, or the first ones."""
    ids: list[int] = []
    stretches = list(_stretches(order))
    if position is not None:
        stretches = stretches[stretches.index(position.key is None) :]  # those before it have been read
    for is_missing in stretches:
        stretch = _stretch(rows, order, is_missing)
        if position is not None and is_missing == (position.key is None):
            stretch = stretch.where(_behind(rows, order, position))
        ids += require_unit_of_work().scalars(stretch.limit(most - len(ids))).all()
        if len(ids) == most:
            break
    return ids


def _ids_at(rows: Subquery, order: Order, offset: int, most: int) -> list[int]:
    session = require_unit_of_work()
    ids: list[int] = []
    for is_missing in _stretches(order):
        stretch = _stretch(rows, order, is_missing)
        found: Sequence[int] = session.scalars(stretch.offset(offset).limit(most - len(ids))).all()
        ids += found
        if len(ids) == most:
            break
        if found:
            offset = 0
        elif offset:
            length = session.scalar(select(func.count()).select_from(stretch.order_by(None).subquery()))
            offset -= length or 0
    return ids


def _stretches(order: Order) -> Iterator[bool]:
    if not order.column.nullable:
        yield False
    else:
        yield order.missing_first
        yield not order.missing_first


def _stretch(rows: Subquery, order: Order, is_missing: bool) -> Select[Any]:
    key, contact_id = rows.c.key, rows.c.id
    chosen = select(contact_id)
    if is_missing:
        return chosen.where(key.is_(None)).order_by(contact_id.desc() if order.descending else contact_id)
    if order.column.nullable:
        chosen = chosen.where(key.is_not(None))
    by = (key.desc(), contact_id.desc()) if order.descending else (key, contact_id)
    return chosen.order_by(*by)


def _behind(rows: Subquery, order: Order, position: Position) -> ColumnElement[bool]:
    here: Any = rows.c.id
    there: Any = literal(position.contact_id)
    if position.key is not None:
        here = tuple_(rows.c.key, here)
        there = tuple_(literal(position.key, order.column.type), there)
    behind: ColumnElement[bool] = here < there if order.descending else here > there
    return behind
