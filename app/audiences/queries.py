"""Reads and set-based writes of audiences. All of them need the caller's unit of work."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, tzinfo
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnClause,
    ColumnElement,
    Exists,
    Select,
    Text,
    bindparam,
    exists,
    func,
    select,
    text,
    true,
)
from sqlalchemy.sql.visitors import iterate, replacement_traverse

from app.audiences.errors import AudienceNotFound
from app.audiences.models import Audience, AudienceKind, Segment, SegmentKind, SegmentMember
from app.audiences.rules import parse_rule, rule_condition
from app.audiences.system_segments import SYSTEM_SEGMENTS
from app.contacts.queries import Contact, counts_of_opted_in, opted_in
from app.core.clock import now
from app.core.uow import require_unit_of_work
from app.shops import service as shops

Key = TypeVar("Key")

# Nothing is written (and no id is used up) once the shop has them all; two first visits make them once.
ENSURE_SYSTEM_SEGMENTS = text("""
    INSERT INTO segments (shop_id, key, name, kind)
    SELECT :shop_id, wanted.key, wanted.name, 'system'
      FROM unnest(:keys, :names) WITH ORDINALITY AS wanted (key, name, position)
     WHERE NOT EXISTS (SELECT FROM segments s WHERE s.shop_id = :shop_id AND s.key = wanted.key)
     ORDER BY wanted.position
    ON CONFLICT DO NOTHING""").bindparams(
    bindparam("keys", [*SYSTEM_SEGMENTS], ARRAY(Text)),
    bindparam("names", [segment.name for segment in SYSTEM_SEGMENTS.values()], ARRAY(Text)),
)

# FOR KEY SHARE: a contact that is being deleted is waited for, or its deleter waits for us, so the
# foreign key cannot fail. An id of another shop is in no row that we see.
ADD_MEMBERS = text("""
    WITH known AS (
      SELECT id FROM contacts WHERE shop_id = :shop_id AND id = ANY(:contact_ids) FOR KEY SHARE
    ), added AS (
      INSERT INTO segment_members (shop_id, segment_id, contact_id)
      SELECT :shop_id, :segment_id, id FROM known
      ON CONFLICT DO NOTHING RETURNING contact_id
    )
    SELECT (SELECT count(*) FROM added) AS changed, ARRAY(SELECT id FROM known) AS known
    """).bindparams(bindparam("contact_ids", type_=ARRAY(BigInteger)))

REMOVE_MEMBERS = text("""
    WITH removed AS (
      DELETE FROM segment_members
       WHERE shop_id = :shop_id AND segment_id = :segment_id AND contact_id = ANY(:contact_ids)
      RETURNING contact_id
    )
    SELECT (SELECT count(*) FROM removed) AS changed,
           ARRAY(SELECT id FROM contacts WHERE shop_id = :shop_id AND id = ANY(:contact_ids)) AS known
    """).bindparams(bindparam("contact_ids", type_=ARRAY(BigInteger)))

# Campaigns are a feature above this one, so the question is asked of the table. A foreign key cannot do it:
# the column also holds words such as 'all'.
IS_IN_USE = text("""
    SELECT EXISTS (SELECT FROM campaigns WHERE shop_id = :shop_id AND audience = :audience
                      AND status IN ('scheduled', 'sending'))""")

COUNTED_BY = {"gender", "birth_date"}
PREDEFINED: dict[AudienceKind, ColumnElement[bool]] = {
    AudienceKind.ALL: true(),
    AudienceKind.MEN: Contact.gender == "male",
    AudienceKind.WOMEN: Contact.gender == "female",
}


def recipients(shop_id: int, audience: Audience) -> Select[Any]:
    """The contacts that a text to `audience` reaches: `contacts.queries.opted_in`, narrowed.

    The columns are those of `opted_in`. Raises AudienceNotFound; it never widens to everybody.
    """
    return opted_in(shop_id).where(audience_condition(shop_id, audience))


def recipients_newest_first(shop_id: int, audience: Audience) -> Select[Any]:
    """As `recipients`, with what a page about them shows besides. Raises AudienceNotFound."""
    return (
        recipients(shop_id, audience)
        .add_columns(Contact.gender, Contact.created_at)
        .order_by(Contact.created_at.desc(), Contact.id.desc())
    )


def members(shop_id: int, audience: Audience) -> Select[int]:
    """The ids of the contacts in `audience`, whatever their consent. Raises AudienceNotFound."""
    return _contact_ids(shop_id, audience_condition(shop_id, audience))


def members_of(segment: Segment) -> Select[int]:
    """The ids of the segment's contacts, whatever their consent and whether or not it is active."""
    return _contact_ids(segment.shop_id, segment_condition(segment, *calendar(segment.shop_id)))


def _contact_ids(shop_id: int, condition: ColumnElement[bool]) -> Select[int]:
    # Not correlated: it must stay whole inside a query over contacts.
    return select(Contact.id).where(Contact.shop_id == shop_id, condition).correlate(None)


def audience_condition(shop_id: int, audience: Audience) -> ColumnElement[bool]:
    """The condition on a contact of the shop to be in `audience`. Raises AudienceNotFound."""
    if audience.segment_id is None:
        return PREDEFINED[audience.kind]
    segment = segment_of(shop_id, audience.segment_id)
    if segment is None or not segment.is_active:
        raise AudienceNotFound
    return segment_condition(segment, *calendar(shop_id))


def segment_condition(segment: Segment, today: date, zone: tzinfo) -> ColumnElement[bool]:
    """The condition on a contact of the segment's shop to be in the segment."""
    if segment.kind == SegmentKind.SYSTEM:
        return rule_condition(SYSTEM_SEGMENTS[str(segment.key)].rule, today, zone)
    if segment.rule is not None:
        return rule_condition(parse_rule(segment.rule), today, zone)
    return (
        exists()
        .where(
            SegmentMember.shop_id == Contact.shop_id,
            SegmentMember.segment_id == segment.id,
            SegmentMember.contact_id == Contact.id,
        )
        .correlate(Contact)
    )


def calendar(shop_id: int) -> tuple[date, tzinfo]:
    """Today where the shop is, and its time zone."""
    zone = shops.zone_of(shops.find_shop(shop_id))
    return now().astimezone(zone).date(), zone


def recipient_counts(shop_id: int, conditions: Mapping[Key, ColumnElement[bool]]) -> dict[Key, int]:
    """How many opted-in contacts meet each condition, in at most two statements, however many conditions.

    What asks for gender and birth date only is summed from counters. Other rules are counted together in one
    pass. A list of members gets a join of its own inside the statement: looking it up for every contact would
    cost thirty times as much.
    """
    counted = {key: one for key, one in conditions.items() if _columns_of(one) <= COUNTED_BY}
    others = {key: one for key, one in conditions.items() if key not in counted}
    return _summed(shop_id, counted) | _passed(shop_id, others)


def _columns_of(condition: ColumnElement[bool]) -> set[str]:
    """The columns of contacts that a condition asks for; a list of members asks for more than that."""
    if isinstance(condition, Exists):
        return {"id"}
    return {element.name for element in iterate(condition) if isinstance(element, ColumnClause)}


def _summed(shop_id: int, conditions: Mapping[Key, ColumnElement[bool]]) -> dict[Key, int]:
    if not conditions:
        return {}
    groups = counts_of_opted_in(shop_id).subquery()

    def told_by_groups(element: Any, **_: Any) -> Any:
        return groups.c[element.name] if isinstance(element, ColumnClause) else None

    sums = [
        func.coalesce(func.sum(groups.c.n).filter(replacement_traverse(one, {}, told_by_groups)), 0)
        for one in conditions.values()
    ]
    found = require_unit_of_work().execute(select(*sums)).one()
    return dict(zip(conditions, map(int, found), strict=True))


def _passed(shop_id: int, conditions: Mapping[Key, ColumnElement[bool]]) -> dict[Key, int]:
    if not conditions:
        return {}
    reachable = opted_in(shop_id)
    counts = [
        _count(reachable.where(condition)).correlate(None).scalar_subquery()
        if isinstance(condition, Exists)
        else func.count().filter(condition)
        for condition in conditions.values()
    ]
    counted = reachable.with_only_columns(*counts, func.count(), maintain_column_froms=True)
    *found, _ = require_unit_of_work().execute(counted).one()
    return dict(zip(conditions, found, strict=True))


def _count(contacts: Select[Any]) -> Select[int]:
    return contacts.with_only_columns(func.count(), maintain_column_froms=True)


def segment_of(shop_id: int, segment_id: int) -> Segment | None:
    """The shop's segment with this id, whatever its state."""
    return require_unit_of_work().scalar(
        select(Segment).where(Segment.shop_id == shop_id, Segment.id == segment_id)
    )


def segment_for_change(shop_id: int, segment_id: int) -> Segment | None:
    """As `segment_of`, locked: changes wait for each other, and for campaigns being saved with it."""
    return require_unit_of_work().scalar(
        select(Segment).where(Segment.shop_id == shop_id, Segment.id == segment_id).with_for_update()
    )


def segments_of(shop_id: int, ids: Collection[int] | None = None) -> Sequence[Segment]:
    """The shop's segments (those with `ids`, when given): the system ones in their order, then its own."""
    wanted = select(Segment).where(Segment.shop_id == shop_id)
    if ids is not None:
        wanted = wanted.where(Segment.id.in_(ids))
    return require_unit_of_work().scalars(wanted.order_by(Segment.kind.desc(), Segment.id)).all()
