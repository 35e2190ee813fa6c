"""From what a client calls an audience to the contacts in it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from app.audiences import queries
from app.audiences.errors import AudienceNotFound, InvalidAudience, SegmentNotFound
from app.audiences.models import Audience, AudienceKind, Segment
from app.audiences.service.segments import ensure_system_segments
from app.core.http.pagination import Page
from app.core.uow import require_unit_of_work, unit_of_work

MAX_ID = 2**63 - 1
NAMES = {
    "all": AudienceKind.ALL,
    "men": AudienceKind.MEN,
    "male": AudienceKind.MEN,
    "women": AudienceKind.WOMEN,
    "female": AudienceKind.WOMEN,
}
SEGMENT = re.compile(r"segment:(?P<id>[0-9]{1,19})")
SEGMENT_ID = re.compile(r"(segment:)?(?P<id>[0-9]{1,19})")  # the object form is sent with either


@dataclass(frozen=True)
class CountedAudience:
    """An audience as a client lists it. `contacts` are those a text would reach now."""

    audience: Audience
    name: str
    description: str
    contacts: int

    @property
    def is_available(self) -> bool:
        return self.contacts > 0


@dataclass(frozen=True)
class AudienceList:
    """Everything a campaign can be for, the predefined audiences first."""

    audiences: list[CountedAudience]

    @property
    def summary(self) -> dict[str, int]:
        """Contacts by predefined audience, and the number of segments."""
        total, men, women = (one.contacts for one in self.audiences[: len(PREDEFINED)])
        segments = len(self.audiences) - len(PREDEFINED)
        return {"total": total, "men": men, "women": women, "segments": segments}


@dataclass(frozen=True)
class AudiencePage(Page[Any]):
    """One page of an audience's recipients."""

    audience_id: str = ""


@dataclass(frozen=True)
class Validation:
    """Whether a client's audience can be sent to, and to how many."""

    audience_id: str
    contacts: int = 0
    error: str | None = None


PREDEFINED = (
    (Audience(AudienceKind.ALL), "All contacts", "Everybody who has opted in"),
    (Audience(AudienceKind.MEN), "Men", "Opted-in contacts whose gender is male"),
    (Audience(AudienceKind.WOMEN), "Women", "Opted-in contacts whose gender is female"),
)


def parse_audience(raw: Any) -> Audience:
    """The audience that `raw` names: all, men (male), women (female), segment:<id>, or {"type", "segmentId"}.

    Raises InvalidAudience for everything else, a bare segment id included: only "all" stands for everybody.
    """
    if isinstance(raw, dict):
        return _parse_object(raw)
    if isinstance(raw, str):
        return Audience(NAMES[raw]) if raw in NAMES else _segment(SEGMENT.fullmatch(raw))
    raise InvalidAudience


def _parse_object(raw: dict[str, Any]) -> Audience:
    kind, segment_id = raw.get("type"), raw.get("segmentId")
    if kind == "all" and segment_id is None:
        return Audience(AudienceKind.ALL)
    if kind == "segment" and isinstance(segment_id, str):
        return _segment(SEGMENT_ID.fullmatch(segment_id))
    raise InvalidAudience


def _segment(named: re.Match[str] | None) -> Audience:
    if named is None or int(named["id"]) > MAX_ID:
        raise InvalidAudience
    return Audience(AudienceKind.SEGMENT, int(named["id"]))


def canonical(audience: Audience) -> str:
    """The audience's one spelling: what campaigns store and clients are shown."""
    return str(audience)


def require_audience(shop_id: int, raw: Any) -> Audience:
    """The audience that `raw` names, certain to exist until the caller commits. A step.

    Raises InvalidAudience and AudienceNotFound. The segment is locked against deletion: no campaign can be
    saved with one that is being deleted.
    """
    audience = parse_audience(raw)
    if audience.segment_id is None:
        return audience
    found = require_unit_of_work().scalar(
        select(Segment.id)
        .where(Segment.shop_id == shop_id, Segment.id == audience.segment_id, Segment.is_active)
        .with_for_update(read=True, key_share=True)
    )
    if found is None:
        raise AudienceNotFound
    return audience


def audience_counts(shop_id: int, audiences: Collection[Audience]) -> dict[Audience, int]:
    """How many contacts each audience reaches now; 0 for one whose segment is gone. A step.

    At most two statements count them all, whatever their number.
    """
    counts = dict.fromkeys(audiences, 0)
    ids = {audience.segment_id for audience in audiences if audience.segment_id is not None}
    conditions = {one: queries.PREDEFINED[one.kind] for one in counts if one.segment_id is None}
    if ids:
        today, zone = queries.calendar(shop_id)
        for segment in queries.segments_of(shop_id, ids):
            if segment.is_active:
                conditions[segment.audience] = queries.segment_condition(segment, today, zone)
    return counts | queries.recipient_counts(shop_id, conditions)


def segment_members(shop_id: int, segment_id: int) -> Select[int]:
    """Selects the ids of the segment's contacts, whatever their consent. A step. Raises SegmentNotFound."""
    segment = queries.segment_of(shop_id, segment_id)
    if segment is None:
        raise SegmentNotFound
    return queries.members_of(segment)


def list_audiences(shop_id: int) -> AudienceList:
    """Everything a campaign can be for: the predefined audiences, then the active segments."""
    with unit_of_work(shop_id):
        ensure_system_segments(shop_id)
        segments = [segment for segment in queries.segments_of(shop_id) if segment.is_active]
        listed = [*PREDEFINED, *map(_named, segments)]
        counts = audience_counts(shop_id, {audience for audience, _, _ in listed})
    return AudienceList(
        [CountedAudience(audience, name, about, counts[audience]) for audience, name, about in listed]
    )


def _named(segment: Segment) -> tuple[Audience, str, str]:
    return segment.audience, segment.name, f"Opted-in contacts in “{segment.name}”"


def audience_details(shop_id: int, raw: str, *, page: int, page_size: int) -> AudiencePage:
    """One page of the contacts that the audience reaches, newest first.

    Raises InvalidAudience, SegmentNotFound (also for another shop's segment) and AudienceNotFound (inactive).
    """
    audience = parse_audience(raw)
    with unit_of_work(shop_id) as session:
        if audience.segment_id is not None and queries.segment_of(shop_id, audience.segment_id) is None:
            raise SegmentNotFound
        total = audience_counts(shop_id, {audience})[audience]
        wanted = queries.recipients_newest_first(shop_id, audience)
        rows = session.execute(wanted.limit(page_size).offset((page - 1) * page_size)).all()
    return AudiencePage(rows, total, page, page_size, canonical(audience))


def validate_audience(shop_id: int, raw: Any) -> Validation:
    """Whether `raw` is an audience of this shop, and how many contacts it reaches. Refuses nothing."""
    try:
        with unit_of_work(shop_id):
            audience = require_audience(shop_id, raw)
            counts = audience_counts(shop_id, {audience})
    except (InvalidAudience, AudienceNotFound) as refusal:
        return Validation(raw if isinstance(raw, str) else "", error=refusal.message)
    return Validation(canonical(audience), counts[audience])
