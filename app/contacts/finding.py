"""Finding the contacts of a page, and saying how many there are without counting millions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, any_, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from app.contacts import queries, search, walking
from app.contacts.cursor import Cursor
from app.contacts.models import Contact
from app.contacts.queries import ContactFilter
from app.contacts.search import COUNTED_MOST, Found
from app.contacts.walking import Order, Position
from app.core.uow import require_unit_of_work


@dataclass(frozen=True)
class Limits:
    """With more than `few` matches, meeting them along the list is faster than sorting them; beyond `counted`
    matches nobody counts on.
    """

    few: int = 5000
    counted: int = COUNTED_MOST


LIMITS = Limits()


@dataclass(frozen=True)
class FoundPage:
    contacts: Sequence[Contact]
    total: int
    is_exact: bool
    leads_to: Cursor | None


@dataclass(frozen=True)
class Chosen:
    """The contacts that a filter chooses, and what is known about them before they are read."""

    contacts: Select[Contact]
    found: Found | None  # by the search index
    are_few: bool


def find(
    shop_id: int,
    wanted: ContactFilter,
    members: Sequence[Select[int]],
    *,
    page: int,
    page_size: int,
    after: Cursor | None,
    limits: Limits = LIMITS,
) -> FoundPage:
    """One page of `wanted`, of those who are among all `members`: behind a cursor, or by number. A step."""
    order = Order(wanted.sort_by, wanted.sort_order == "desc")
    chosen = choose(shop_id, wanted, members, limits)
    rows = walking.rows_to_walk(chosen.contacts, order, are_few=chosen.are_few)
    if after:
        total, is_exact = after.total, after.is_exact
        ids = walking.ids_after(rows, order, after.position, page_size + 1)
        has_more = len(ids) > page_size
    else:
        total, is_exact = _total(shop_id, wanted, members, chosen, limits.counted)
        has_more, ids = _by_number(rows, order, page, page_size, total if is_exact else None)
    contacts = read_in_order(shop_id, ids[:page_size])
    if not (has_more and contacts):
        return FoundPage(contacts, total, is_exact, None)
    last = contacts[-1]
    position = Position(getattr(last, order.column.key), last.id)
    return FoundPage(contacts, total, is_exact, Cursor(position, total, is_exact))


def choose(
    shop_id: int, wanted: ContactFilter, members: Sequence[Select[int]], limits: Limits = LIMITS
) -> Chosen:
    """Whom `wanted` chooses, through the search index where that finds few. A step."""
    patterns = search.patterns_of(wanted.q) if wanted.q else []
    if not patterns and (tags := wanted.tags_all[:1] or wanted.tags_any):
        patterns = search.patterns_of_tags(tags)
    found = search.find(shop_id, patterns, most=limits.counted) if patterns else None
    contacts = queries.matching(shop_id, wanted)
    are_few = found is not None and found.is_all and len(found.ids) <= limits.few
    if found and are_few:
        contacts = contacts.where(_one_of(found.ids))
    for ids in members:
        contacts = contacts.where(Contact.id.in_(ids))
    return Chosen(contacts, found, are_few)


def read_in_order(shop_id: int, ids: Sequence[int]) -> list[Contact]:
    """The contacts with these ids, in this order; without those that have just been deleted. A step."""
    if not ids:
        return []
    mine = select(Contact).where(Contact.shop_id == shop_id, _one_of(ids))
    by_id = {contact.id: contact for contact in require_unit_of_work().scalars(mine)}
    return [by_id[contact_id] for contact_id in ids if contact_id in by_id]


def _by_number(
    rows: Subquery, order: Order, page: int, page_size: int, total: int | None
) -> tuple[bool, list[int]]:
    offset = (page - 1) * page_size
    if total is not None:
        ids = walking.ids_at(rows, order, offset=offset, most=page_size, total=total)
        return offset + page_size < total, ids
    ids = walking.ids_at(rows, order, offset=offset, most=page_size + 1, total=None)
    return len(ids) > page_size, ids


def _total(
    shop_id: int, wanted: ContactFilter, members: Sequence[Select[int]], chosen: Chosen, most: int
) -> tuple[int, bool]:
    """How many there are, and whether that is exact: beyond `most` matches nobody counts on."""
    if wanted.is_countable and not members:
        return queries.counted(shop_id, wanted), True
    found = chosen.found
    if found is None:
        total = _count(chosen.contacts.limit(most + 1))
        return min(total, most), total <= most
    if chosen.are_few:
        return _count(chosen.contacts), True
    if not members and _is_searched_only(wanted):
        return len(found.ids), False
    return _count(chosen.contacts.where(_one_of(found.ids))), found.is_all


def _is_searched_only(wanted: ContactFilter) -> bool:
    """Whether nothing narrows what was found: of more than are counted none is looked at again."""
    by_tag = not wanted.q and bool(wanted.tags_any) != (len(wanted.tags_all) == 1)
    bare = replace(wanted, q=None, sort_by="createdAt", sort_order="desc")
    if by_tag:
        bare = replace(bare, tags_any=(), tags_all=())
    return bare == ContactFilter()


def _count(contacts: Select[Contact]) -> int:
    ids = contacts.with_only_columns(Contact.id).subquery()
    return require_unit_of_work().scalar(select(func.count()).select_from(ids)) or 0


def _one_of(ids: Sequence[int]) -> ColumnElement[bool]:
    return Contact.id == any_(cast(list(ids), ARRAY(BigInteger)))
