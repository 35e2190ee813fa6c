"""Segments: the eight that every shop has, and the shop's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.audiences import queries
from app.audiences.errors import (
    DuplicateSegmentName,
    SegmentInUse,
    SegmentNotFound,
    TooManySegments,
)
from app.audiences.models import Segment, SegmentKind
from app.audiences.rules import parse_rule
from app.audiences.service.members import custom_segment, put_members, replace_members
from app.audiences.system_segments import SYSTEM_SEGMENTS
from app.core.activity import record
from app.core.cache import changed
from app.core.clock import now
from app.core.errors import ValidationFailed
from app.core.uow import require_unit_of_work, unit_of_work

# The list of segments counts all of them in one pass, so their number is bounded.
MAX_CUSTOM_SEGMENTS = 200
UNIQUE_NAME = "uq_segments_shop_id_name"


@dataclass(frozen=True)
class CountedSegment:
    """A segment and how many contacts it reaches now. `unknown` are given ids that are not the shop's."""

    segment: Segment
    estimated_count: int
    unknown: tuple[int, ...] = ()

    @property
    def criteria(self) -> dict[str, Any] | None:
        """What decides about membership, or None when it is a list of members."""
        if self.segment.kind == SegmentKind.SYSTEM:
            return SYSTEM_SEGMENTS[str(self.segment.key)].criteria
        return self.segment.rule


def ensure_system_segments(shop_id: int) -> None:
    """Give the shop the system segments that it lacks. A step; idempotent by key."""
    require_unit_of_work().execute(queries.ENSURE_SYSTEM_SEGMENTS, {"shop_id": shop_id})


def list_segments(shop_id: int) -> list[CountedSegment]:
    """The shop's segments with live counts: the system ones, then its own."""
    with unit_of_work(shop_id):
        ensure_system_segments(shop_id)
        return _counted(shop_id, queries.segments_of(shop_id))


def show_segment(shop_id: int, segment_id: int) -> CountedSegment:
    """One segment with its live count. Raises SegmentNotFound."""
    with unit_of_work(shop_id):
        segment = queries.segment_of(shop_id, segment_id)
        if segment is None:
            raise SegmentNotFound
        return _counted(shop_id, [segment])[0]


def create_segment(
    shop_id: int, *, name: str, rule: Any = None, contact_ids: Sequence[int] | None = None
) -> CountedSegment:
    """Make a custom segment, either by rule or by a list of members (which may be empty).

    Raises ValidationFailed (naming the path in the rule), DuplicateSegmentName, TooManySegments.
    """
    _refuse_both(rule, contact_ids)
    if rule is None and contact_ids is None:
        raise ValidationFailed("rule", "is missing: give a rule or contactIds")
    if rule is not None:
        parse_rule(rule)
    with unit_of_work(shop_id) as session:
        ensure_system_segments(shop_id)  # first, so that no custom segment takes one of their names
        _refuse_one_more(session, shop_id)
        segment = Segment(shop_id=shop_id, name=name, kind=SegmentKind.CUSTOM, rule=rule)
        session.add(segment)
        _save(session, segment)
        unknown = put_members(segment, contact_ids).unknown if contact_ids else ()
        changed(shop_id, "audiences")
        record(shop_id, "segment.created", "segment", segment.id)
        return _counted(shop_id, [segment], unknown)[0]


def change_segment(
    shop_id: int,
    segment_id: int,
    *,
    name: str | None = None,
    rule: Any = None,
    contact_ids: Sequence[int] | None = None,
    is_active: bool | None = None,
) -> CountedSegment:
    """Change what is given. A rule replaces the members; a list replaces the rule and the old members.

    Raises ValidationFailed, SegmentNotFound, SegmentIsSystem, DuplicateSegmentName, and SegmentInUse when a
    segment in use would be switched off.
    """
    _refuse_both(rule, contact_ids)
    if rule is not None:
        parse_rule(rule)
    with unit_of_work(shop_id) as session:
        segment = custom_segment(shop_id, segment_id)
        segment.name = name or segment.name
        if is_active is not None:
            _refuse_switching_off(segment, is_active)
            segment.is_active = is_active
        unknown: tuple[int, ...] = ()
        if rule is not None or contact_ids is not None:
            segment.rule = rule
            unknown = replace_members(segment, contact_ids or ())
        segment.updated_at = now()
        _save(session, segment)
        record(shop_id, "segment.updated", "segment", segment_id)
        return _counted(shop_id, [segment], unknown)[0]


def delete_segment(shop_id: int, segment_id: int) -> None:
    """Delete a custom segment and its list of members; the contacts stay.

    Raises SegmentNotFound, SegmentIsSystem, SegmentInUse.
    """
    with unit_of_work(shop_id) as session:
        segment = custom_segment(shop_id, segment_id)
        _refuse_in_use(segment)
        session.delete(segment)
        record(shop_id, "segment.deleted", "segment", segment_id)


def _counted(
    shop_id: int, segments: Sequence[Segment], unknown: tuple[int, ...] = ()
) -> list[CountedSegment]:
    today, zone = queries.calendar(shop_id)
    conditions = {segment.id: queries.segment_condition(segment, today, zone) for segment in segments}
    counts = queries.recipient_counts(shop_id, conditions)
    return [CountedSegment(segment, counts[segment.id], unknown) for segment in segments]


def _save(session: Session, segment: Segment) -> None:
    try:
        session.flush()  # the refusal, the id and the defaults are wanted now
    except IntegrityError as broken:
        if getattr(broken.orig, "diag", None) and broken.orig.diag.constraint_name == UNIQUE_NAME:  # type: ignore[union-attr]
            raise DuplicateSegmentName from broken
        raise
    session.refresh(segment)


def _refuse_both(rule: Any, contact_ids: Sequence[int] | None) -> None:
    if rule is not None and contact_ids is not None:
        raise ValidationFailed("rule", "cannot be combined with contactIds: give one of them")


def _refuse_one_more(session: Session, shop_id: int) -> None:
    custom = select(func.count()).where(Segment.shop_id == shop_id, Segment.kind == SegmentKind.CUSTOM)
    if (session.scalar(custom) or 0) >= MAX_CUSTOM_SEGMENTS:
        raise TooManySegments


def _refuse_switching_off(segment: Segment, is_active: bool) -> None:
    if segment.is_active and not is_active:
        _refuse_in_use(segment)


def _refuse_in_use(segment: Segment) -> None:
    where = {"shop_id": segment.shop_id, "audience": str(segment.audience)}
    if require_unit_of_work().scalar(queries.IS_IN_USE, where):
        raise SegmentInUse
