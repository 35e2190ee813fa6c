"""Pricing an audience exactly, and freezing it into messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, func, insert, literal, null, select

from app.core.settings import settings
from app.core.uow import require_unit_of_work
from app.credits import service as credits
from app.messaging.models import Message, Run
from app.messaging.pricing import is_gsm, parts_of
from app.messaging.states import Source
from app.messaging.text.parts import Encoding, count_parts
from app.messaging.text.template import Template, compile_template
from app.messaging.wording import Renderer, Wording


@dataclass(frozen=True)
class Price:
    """What a text costs an audience. `parts_histogram` maps parts of one message to recipients."""

    recipients: int
    credits: int
    unicode_recipients: int
    parts_histogram: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Frozen:
    """A run that was made: its messages are pending, their credits held."""

    run_id: int
    recipients: int
    credits: int


def price(text: str, recipients: Select[Any]) -> Price:
    """The exact price of a frozen `text` for `recipients` (columns: app.messaging.pricing).

    A step; reads only.
    """
    template = compile_template(text)
    audience = recipients.subquery("audience")
    # A text without merge values names no column of the audience: without select_from it would price one row.
    priced = (
        select(parts_of(template, audience).label("parts"), is_gsm(template, audience).label("in_gsm"))
        .select_from(audience)
        .subquery()
    )
    rows = require_unit_of_work().execute(
        select(priced.c.parts, priced.c.in_gsm, func.count()).group_by(priced.c.parts, priced.c.in_gsm)
    )
    histogram: dict[int, int] = {}
    unicode_recipients = 0
    for parts_each, in_gsm, people in rows:
        histogram[parts_each] = histogram.get(parts_each, 0) + people
        unicode_recipients += 0 if in_gsm else people
    total = sum(histogram.values())
    by_part = settings().credit_unit == "part"
    return Price(
        recipients=total,
        credits=sum(parts_each * people for parts_each, people in histogram.items()) if by_part else total,
        unicode_recipients=unicode_recipients,
        parts_histogram=dict(sorted(histogram.items())),
    )


def open_run(
    shop_id: int, source: Source, source_id: int, wording: Wording, *, sender: str, run_no: int = 1
) -> int:
    """Freeze the words of one sending; returns the run's id.

    A step, once per (shop, source, source_id, run_no).
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
    )
    session.add(run)
    session.flush()  # the messages need its id
    return run.id


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
    body = Renderer(run.text, len(run.links), settings().link_secrets[0]).render(
        1, {"phone": phone, **values}
    )
    parts = count_parts(body).parts if settings().credit_unit == "part" else 1
    message = Message(
        shop_id=shop_id,
        run_id=run_id,
        contact_id=contact_id,
        phone=phone,
        event_key=event_key,
        merge=dict(values),
        parts=parts,
    )
    session.add(message)
    run.pending = Run.pending + 1
    session.flush()
    credits.hold(shop_id, run_id, parts, key=f"run:{run_id}:hold:{message.id}")
    return message.id


def _columns(template: Template, audience: FromClause) -> dict[str, ColumnElement[Any]]:
    """The columns that depend on the recipient; names are copied only where the text uses them."""
    c, used = audience.c, template.slot_names
    one_credit = settings().credit_unit == "message"
    return {
        "shop_id": null(),
        "run_id": null(),
        "contact_id": c.id,
        "phone": c.phone,
        "first_name": c.first_name if "firstName" in used else null(),
        "last_name": c.last_name if "lastName" in used else null(),
        "merge": func.jsonb_build_object("email", c.email) if "email" in used else null(),
        "parts": literal(1) if one_credit else parts_of(template, audience),
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
