"""Pricing an audience exactly, and freezing it into messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    cast,
    func,
    insert,
    literal,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import insert as insert_or_skip

from app.core.settings import settings
from app.core.uow import require_unit_of_work
from app.credits import service as credits
from app.messaging.models import Message, Run
from app.messaging.pricing import PLAIN_SLOTS, credits_of, is_gsm, parts_of
from app.messaging.service import capping
from app.messaging.service.capping import UNCAPPED, Caps
from app.messaging.states import RunKind, Source
from app.messaging.text.parts import Encoding, count_parts
from app.messaging.text.template import Template, compile_template
from app.messaging.wording import Renderer, Wording

KINDS = {Source.TEST: RunKind.TRANSACTIONAL, Source.SERVICE: RunKind.TRANSACTIONAL}


@dataclass(frozen=True)
class CountryPrice:
    """What a text costs those of an audience whose numbers are of one country."""

    country: str
    recipients: int
    credits: int


@dataclass(frozen=True)
class Price:
    """What a text costs an audience. `parts_histogram` maps parts of one message to recipients.

    `over_cap` are those who get no text because theirs would cost too much: no other number counts them.
    """

    recipients: int
    credits: int
    unicode_recipients: int
    parts_histogram: Mapping[int, int] = field(default_factory=dict)
    over_cap: int = 0
    by_country: tuple[CountryPrice, ...] = ()


@dataclass(frozen=True)
class Frozen:
    """A run that was made: its messages are pending, their credits held."""

    run_id: int
    recipients: int
    credits: int


@dataclass(frozen=True)
class Recipient:
    """One person a run shall text because of one event: once for each (phone, run, event_key)."""

    phone: str
    contact_id: int | None
    event_key: str
    values: Mapping[str, str | None]


def price(text: str, recipients: Select[Any], caps: Caps = UNCAPPED, *, by_country: bool = False) -> Price:
    """The exact price of a frozen `text` for `recipients` (columns: app.messaging.pricing) within `caps`.

    A step; reads only. `Price.by_country` is there when it is asked for, or needed.
    """
    by_country = by_country or bool(caps.by_country)
    histogram: dict[int, int] = {}
    countries: dict[str, CountryPrice] = {}
    over_cap = unicode_recipients = total = 0
    for parts_each, in_gsm, country, people in _priced_rows(text, recipients, with_country=by_country):
        each = parts_each if settings().credit_unit == "part" else 1
        if not caps.allow(country, each):
            over_cap += people
            continue
        histogram[parts_each] = histogram.get(parts_each, 0) + people
        unicode_recipients += 0 if in_gsm else people
        total += each * people
        before = countries.get(country, CountryPrice(country, 0, 0))
        countries[country] = CountryPrice(country, before.recipients + people, before.credits + each * people)
    return Price(
        recipients=sum(histogram.values()),
        credits=total,
        unicode_recipients=unicode_recipients,
        parts_histogram=dict(sorted(histogram.items())),
        over_cap=over_cap,
        by_country=tuple(sorted(countries.values(), key=_dearest_first)) if by_country else (),
    )


def _dearest_first(one: CountryPrice) -> tuple[int, str]:
    return -one.credits, one.country


def _priced_rows(text: str, recipients: Select[Any], *, with_country: bool) -> Sequence[Any]:
    """How many people have so many parts, are in the cheap alphabet and in a country: a few rows."""
    template = compile_template(text)
    audience = recipients.subquery("audience")
    area = func.substr(audience.c.phone, 1, capping.AREA_LENGTH) if with_country else literal("")
    # A text without merge values names no column of the audience: without select_from it would price one row.
    priced = (
        select(
            parts_of(template, audience).label("parts"),
            is_gsm(template, audience).label("in_gsm"),
            area.label("area"),
        )
        .select_from(audience)
        .subquery()
    )
    counted = select(*priced.c, func.count().label("people")).group_by(*priced.c)
    if not with_country:
        return require_unit_of_work().execute(counted).all()
    # Countries are looked up once for all numbers that begin alike.
    by_area = counted.subquery("by_area")
    source, country = capping.with_country(by_area, by_area.c.area)
    keys = (by_area.c.parts, by_area.c.in_gsm, country)
    summed = select(*keys, cast(func.sum(by_area.c.people), BigInteger)).select_from(source).group_by(*keys)
    return require_unit_of_work().execute(summed).all()


def open_run(
    shop_id: int,
    source: Source,
    source_id: int,
    wording: Wording,
    *,
    sender: str,
    run_no: int = 1,
    kind: RunKind | None = None,
) -> int:
    """Freeze the words of one sending; returns the run's id.

    A step, once per (shop, source, source_id, run_no). Without a `kind`, tests and answers to somebody's own
    request are no marketing, everything else is.
    """
    session = require_unit_of_work()
    run = Run(
        shop_id=shop_id,
        source=source,
        source_id=source_id,
        run_no=run_no,
        text=wording.text,
        links=list(wording.links),
        sender=sender,
        kind=kind or KINDS.get(source, RunKind.MARKETING),
    )
    session.add(run)
    session.flush()  # the messages need its id
    return run.id


def run_for(
    shop_id: int, source: Source, source_id: int, wording: Wording, *, sender: str, kind: RunKind
) -> int:
    """The source's open run of exactly these words, or a new one. A step.

    For sources that text one person after another; the caller holds a lock on the source.
    """
    session = require_unit_of_work()
    of_source = (Run.shop_id == shop_id, Run.source == source, Run.source_id == source_id)
    same_words = (Run.text == wording.text, Run.links == list(wording.links), Run.sender == sender)
    found = select(Run.id).where(*of_source, *same_words, Run.kind == kind, Run.is_open)
    run_id = session.scalar(found.order_by(Run.id.desc()).limit(1))
    if run_id is not None:
        return run_id
    last = session.scalar(select(func.coalesce(func.max(Run.run_no), 0)).where(*of_source)) or 0
    return open_run(shop_id, source, source_id, wording, sender=sender, run_no=last + 1, kind=kind)


def freeze(shop_id: int, run_id: int, recipients: Select[Any]) -> Frozen:
    """Turn `recipients` into pending messages of the run and hold their credits, in one statement each. A
    step.

    A phone is in a run once, by constraint. Raises InsufficientCredits, and then the caller's transaction
    undoes all.
    """
    session = require_unit_of_work()
    run = session.get_one(Run, run_id)
    template = compile_template(run.text)
    audience = recipients.subquery("audience")
    inserted = (
        insert(Message)
        .from_select(list(_columns(template, audience)), _frozen_rows(shop_id, run_id, template, audience))
        .returning(Message.parts)
        .cte("inserted")
    )
    people, needed = session.execute(
        select(func.count(), func.coalesce(func.sum(inserted.c.parts), 0)).select_from(inserted)
    ).one()
    run.pending = Run.pending + people
    session.flush()
    credits.hold(shop_id, run_id, int(needed), key=f"run:{run_id}:hold")
    return Frozen(run_id, people, int(needed))


def freeze_one(
    shop_id: int,
    run_id: int,
    *,
    phone: str,
    values: Mapping[str, str | None],
    contact_id: int | None = None,
    event_key: str = "",
) -> int | None:
    """One pending message with its credits held; None when this (run, phone, event) has one already.

    A step.
    """
    session = require_unit_of_work()
    run = session.get_one(Run, run_id)
    message = Message(
        shop_id=shop_id,
        run_id=run_id,
        contact_id=contact_id,
        phone=phone,
        event_key=event_key,
        merge=dict(values),
        parts=_parts_of(run, {"phone": phone, **values}),
    )
    session.add(message)
    run.pending = Run.pending + 1
    session.flush()
    credits.hold(shop_id, run_id, message.parts, key=f"run:{run_id}:hold:{message.id}")
    return message.id


def freeze_people(shop_id: int, run_id: int, people: Sequence[Recipient]) -> dict[str, int]:
    """Pending messages for a handful of people, their credits held together; message ids by event key.

    A step. Who has a message of this (phone, run, event) already is left out. Raises InsufficientCredits when
    they do not suffice for all: the caller undoes it (a savepoint will do) and may ask for fewer.
    """
    session = require_unit_of_work()
    run = session.get_one(Run, run_id)
    rows = [
        {
            "shop_id": shop_id,
            "run_id": run_id,
            "contact_id": person.contact_id,
            "phone": person.phone,
            "event_key": person.event_key,
            "merge": dict(person.values),
            "parts": _parts_of(run, {"phone": person.phone, **person.values}),
        }
        for person in people
    ]
    new = (
        insert_or_skip(Message)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["phone", "run_id", "event_key"])
        .returning(Message.id, Message.event_key, Message.parts)
    )
    made = session.execute(new).all() if rows else []
    if made:
        run.pending = Run.pending + len(made)
        session.flush()
        first = min(message.id for message in made)
        parts = sum(message.parts for message in made)
        credits.hold(shop_id, run_id, parts, key=f"run:{run_id}:hold:{first}")
    return {message.event_key: message.id for message in made}


def within_caps(shop_id: int, run_id: int, recipients: Select[Any]) -> Select[Any]:
    """`recipients` without those whose text of this run would cost more than the shop's caps. A step."""
    caps = capping.caps_of(shop_id)
    return capping.within(caps, require_unit_of_work().get_one(Run, run_id).text, recipients)


def over_cap(shop_id: int, run_id: int, people: Sequence[Recipient]) -> set[str]:
    """The event keys of those whose text of this run would cost more than the shop's caps. A step."""
    caps = capping.caps_of(shop_id)
    if not caps:
        return set()
    run = require_unit_of_work().get_one(Run, run_id)
    countries = capping.countries_of([one.phone for one in people]) if caps.by_country else {}
    return {
        one.event_key
        for one in people
        if not caps.allow(countries.get(one.phone, ""), _parts_of(run, {"phone": one.phone, **one.values}))
    }


def _parts_of(run: Run, values: Mapping[str, str | None]) -> int:
    # Every message's links are equally long: any id will do.
    return count_parts(body_of(run, 1, values)).parts if settings().credit_unit == "part" else 1


def _columns(template: Template, audience: FromClause) -> dict[str, ColumnElement[Any]]:
    """The columns that depend on the recipient; names are copied only where the text uses them."""
    c, used = audience.c, template.slot_names
    kept = [name for name in used if name in PLAIN_SLOTS and name != "phone"]
    own_values = [word for name in kept for word in (name, c[PLAIN_SLOTS[name]])]
    return {
        "shop_id": null(),
        "run_id": null(),
        "contact_id": c.id,
        "phone": c.phone,
        "first_name": c.first_name if "firstName" in used else null(),
        "last_name": c.last_name if "lastName" in used else null(),
        "merge": func.jsonb_build_object(*own_values) if own_values else null(),
        "parts": credits_of(template, audience),
    }


def _frozen_rows(shop_id: int, run_id: int, template: Template, audience: FromClause) -> Select[Any]:
    columns = _columns(template, audience) | {"shop_id": literal(shop_id), "run_id": literal(run_id)}
    return select(*(value.label(name) for name, value in columns.items())).select_from(audience)


def body_of(run: Run, message_id: int, values: Mapping[str, str | None]) -> str:
    """The words of one message of a run, as they are or will be sent."""
    return Renderer(run.text, len(run.links), settings().link_secrets[0]).render(message_id, values)


def encoding_of(text: str) -> Encoding:
    """The alphabet of a text without merge values."""
    return count_parts(compile_template(text).literal_text).encoding
