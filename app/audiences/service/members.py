"""The members of segments that are lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import TextClause, delete

from app.audiences import queries
from app.audiences.errors import SegmentHasRule, SegmentIsSystem, SegmentNotFound
from app.audiences.models import Segment, SegmentKind, SegmentMember
from app.core.activity import record
from app.core.cache import changed
from app.core.uow import require_unit_of_work, unit_of_work


@dataclass(frozen=True)
class MembersChanged:
    """How many came or went, which ids are no contacts of the shop, and the live count after it."""

    segment_id: int
    changed: int
    unknown: tuple[int, ...]
    estimated_count: int = 0


def add_members(shop_id: int, segment_id: int, contact_ids: Sequence[int]) -> MembersChanged:
    """Put contacts into the segment; those already in it count as unchanged.

    Raises SegmentNotFound, SegmentIsSystem, SegmentHasRule.
    """
    return _change(shop_id, segment_id, queries.ADD_MEMBERS, contact_ids)


def remove_members(shop_id: int, segment_id: int, contact_ids: Sequence[int]) -> MembersChanged:
    """Take contacts out of the segment; those not in it count as unchanged.

    Raises SegmentNotFound, SegmentIsSystem, SegmentHasRule.
    """
    return _change(shop_id, segment_id, queries.REMOVE_MEMBERS, contact_ids)


def _change(
    shop_id: int, segment_id: int, statement: TextClause, contact_ids: Sequence[int]
) -> MembersChanged:
    with unit_of_work(shop_id):
        segment = custom_segment(shop_id, segment_id)
        if segment.rule is not None:
            raise SegmentHasRule
        done = _execute(statement, segment, contact_ids)
        record(shop_id, "segment.members_changed", "segment", segment_id, members=done.changed)
        counts = queries.recipient_counts(
            shop_id, {segment_id: queries.segment_condition(segment, *queries.calendar(shop_id))}
        )
    return replace(done, estimated_count=counts[segment_id])


def custom_segment(shop_id: int, segment_id: int) -> Segment:
    """The shop's own segment, locked for a change. A step. Raises SegmentNotFound, SegmentIsSystem."""
    segment = queries.segment_for_change(shop_id, segment_id)
    if segment is None:
        raise SegmentNotFound
    if segment.kind == SegmentKind.SYSTEM:
        raise SegmentIsSystem
    changed(shop_id, "audiences")
    return segment


def put_members(segment: Segment, contact_ids: Sequence[int]) -> MembersChanged:
    """Put contacts into the segment. A step."""
    return _execute(queries.ADD_MEMBERS, segment, contact_ids)


def replace_members(segment: Segment, contact_ids: Sequence[int]) -> tuple[int, ...]:
    """Make `contact_ids` the only members; returns those that are no contacts of the shop. A step."""
    require_unit_of_work().execute(
        delete(SegmentMember).where(
            SegmentMember.shop_id == segment.shop_id, SegmentMember.segment_id == segment.id
        )
    )
    return put_members(segment, contact_ids).unknown if contact_ids else ()


def _execute(statement: TextClause, segment: Segment, contact_ids: Sequence[int]) -> MembersChanged:
    done = (
        require_unit_of_work()
        .execute(
            statement,
            {"shop_id": segment.shop_id, "segment_id": segment.id, "contact_ids": list(contact_ids)},
        )
        .one()
    )
    known = set(done.known)
    unknown = tuple(dict.fromkeys(one for one in contact_ids if one not in known))
    return MembersChanged(segment.id, done.changed, unknown)
