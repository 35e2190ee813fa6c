"""The campaigns of the past, sent one after the other, so that who has left gets nothing later."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, column, func, insert, literal, null, select, table, text

from app.audiences import service as audiences
from app.audiences.queries import recipients
from app.campaigns.models import Campaign
from app.campaigns.service.wording import wording_of
from app.contacts import consent
from app.contacts.queries import Contact, opted_in
from app.core.uow import require_unit_of_work, unit_of_work
from app.demo.history import people_sql, sendings_sql
from app.demo.history.calendar import Calendar
from app.demo.history.ledger import PERIOD, PURCHASES, Books
from app.demo.history.plan import NEWCOMERS, PAST, REPLIES, SENDER, STOPS, Ending, Sending
from app.messaging.pricing import parts_of
from app.messaging.states import Source
from app.messaging.text.template import compile_template
from app.messaging.wording import Wording
from app.optouts.words import read_reply
from app.shops import service as shops

BATCH_SECONDS = 95
STAGED = ("place", "contact_id", "phone", "first_name", "last_name", "parts")
DRAFTED = table("drafted", *(column(name) for name in STAGED))
HAS_RUNS = text("SELECT EXISTS (SELECT FROM message_runs WHERE shop_id = :shop_id)")
MONEY_STARTS = timedelta(minutes=12)  # before the large sending that uses up the month's allowance


@dataclass(frozen=True)
class Round:
    """One going out of a campaign: the only one, or one of a recurring one's."""

    sending: Sending
    campaign_id: int
    starts_at: datetime
    is_last: bool


def make_sendings(shop_id: int, calendar: Calendar, segments: dict[str, int]) -> bool:
    """Send everything in PAST. False, and nothing done, when the shop has sent something already."""
    with unit_of_work(shop_id) as session:
        consent.take_turn(shop_id)
        if session.scalar(HAS_RUNS, {"shop_id": shop_id}):
            return False
        session.execute(people_sql.CHANCE)
        session.execute(sendings_sql.STAGE_TABLE)
        books = Books(shop_id, _periods(calendar))
        books.open()
        for number, (days_ago, credits) in enumerate(PURCHASES, 1):
            books.buy(calendar.at(days_ago, 9, 40), credits, number)
        run_nos: Counter[int] = Counter()
        for one in sorted(_rounds(shop_id, calendar, segments), key=lambda one: one.starts_at):
            run_nos[one.campaign_id] += _send(shop_id, one, run_nos[one.campaign_id] + 1, books)
        books.close()
    return True


def _periods(calendar: Calendar) -> tuple[datetime, datetime]:
    large = next(one for one in PAST if one.greek)
    second = calendar.at(large.days_ago, large.at.hour, large.at.minute) - MONEY_STARTS
    return second - PERIOD, second


def _rounds(shop_id: int, calendar: Calendar, segments: dict[str, int]) -> Iterator[Round]:
    for sending in PAST:
        starts = list(_starts(sending, calendar))
        campaign_id = _add_campaign(shop_id, sending, starts[0], _next(sending, calendar), segments)
        for starts_at in starts:
            yield Round(sending, campaign_id, starts_at, is_last=starts_at == starts[-1])


def _starts(sending: Sending, calendar: Calendar) -> Iterator[datetime]:
    """When it went out: until an hour ago, so that most of it has been reported."""
    every = sending.repeats_every or sending.days_ago + 1
    for days_ago in range(sending.days_ago, -1, -every):
        starts_at = calendar.at(days_ago, sending.at.hour, sending.at.minute)
        if starts_at < calendar.now - timedelta(hours=1):
            yield starts_at


def _next(sending: Sending, calendar: Calendar) -> datetime | None:
    """When a recurring one goes out again: the first of its days that lies ahead, by the shop's clock."""
    if not sending.repeats_every:
        return None
    days = range(sending.days_ago, -sending.repeats_every - 1, -sending.repeats_every)
    dates = (calendar.at(days_ago, sending.at.hour, sending.at.minute) for days_ago in days)
    return next(at for at in dates if at > calendar.now)


def _add_campaign(
    shop_id: int, sending: Sending, first_at: datetime, next_at: datetime | None, segments: dict[str, int]
) -> int:
    known = sending.audience in segments
    every = sending.repeats_every
    given = {
        "shop_id": shop_id,
        "name": sending.name,
        "message": sending.message,
        "audience": f"segment:{segments[sending.audience]}" if known else sending.audience,
        "schedule_type": "recurring" if every else "scheduled",
        "schedule_at": next_at or first_at,
        "recurring_days": every,
        "meta": json.dumps({"compressGreek": True} if sending.greek else {}),
        "created_at": first_at - timedelta(hours=3),
    }
    return int(require_unit_of_work().execute(sendings_sql.ADD_CAMPAIGN, given).scalar_one())


def _send(shop_id: int, one: Round, run_no: int, books: Books) -> bool:
    """Send one round; False when there was nobody to send it to."""
    session, sending = require_unit_of_work(), one.sending
    campaign = session.get_one(Campaign, one.campaign_id)
    wording = wording_of(campaign, shops.find_shop(shop_id))
    session.execute(sendings_sql.EMPTY_STAGE)
    staged = session.execute(insert(DRAFTED).from_select(STAGED, _people(campaign, one, wording.text)))
    reached = staged.rowcount  # type: ignore[attr-defined]
    if not reached:
        return False
    session.execute(sendings_sql.LOOK_AT_STAGE)
    is_stopped = sending.ending in {Ending.CANCELLED, Ending.PAUSED}
    facts: dict[str, Any] = {
        "shop_id": shop_id, "key": f"{sending.name}:{run_no}:", "starts_at": one.starts_at,
        "clicks": sending.clicks, "batch_seconds": BATCH_SECONDS,
        "reached": reached // 2 if is_stopped else reached,
        "rest": "pending" if sending.ending == Ending.PAUSED else "skipped",
        "is_refused": sending.ending == Ending.REFUSED, "is_open": not is_stopped,
        "source": Source.CAMPAIGN, "source_id": one.campaign_id, "run_no": run_no,
    }  # fmt: skip
    _write(facts, wording, books)
    if one.is_last:
        status = "scheduled" if sending.repeats_every else str(sending.ending)
        given = {"status": status, "campaign_id": one.campaign_id, "started_at": one.starts_at}
        session.execute(sendings_sql.FINISH_CAMPAIGN, facts | given)
    return True


def _write(facts: dict[str, Any], wording: Wording, books: Books) -> None:
    """The staged people become a run with its messages, its money, and what people did. Fills in `facts`."""
    session = require_unit_of_work()
    for statement in (sendings_sql.DECIDE, sendings_sql.REACT):
        session.execute(statement, facts)
    frozen = {"text": wording.text, "links": list(wording.links), "sender": SENDER}
    facts["run_id"] = session.execute(sendings_sql.ADD_RUN, facts | frozen).scalar_one()
    for statement in (
        sendings_sql.ADD_ATTEMPTS, sendings_sql.ADD_MESSAGES, sendings_sql.ADD_QUARTERS,
        sendings_sql.ADD_CLICKS, sendings_sql.OPT_OUT,
    ):  # fmt: skip
        session.execute(statement, facts)
    session.execute(sendings_sql.ADD_REPLIES, facts | {"sender": SENDER} | _words())
    sums = session.execute(sendings_sql.SUMS).one()
    facts["ended_at"] = sums.ended_at
    books.charge(facts["run_id"], facts["starts_at"], sums)


def _people(campaign: Campaign, one: Round, words: str) -> Select[Any]:
    """Whom the round reaches, in the order of their ids, with the exact parts of their texts."""
    if one.sending.audience == NEWCOMERS:  # the rule asks about now
        chosen = opted_in(campaign.shop_id).where(Contact.created_at > one.starts_at - timedelta(days=1))
    else:
        chosen = recipients(campaign.shop_id, audiences.require_audience(campaign.shop_id, campaign.audience))
    people = chosen.where(Contact.created_at < one.starts_at).subquery("audience")
    template, c = compile_template(words), people.c
    is_named = {name: name in template.slot_names for name in ("firstName", "lastName")}
    return select(
        func.row_number().over(order_by=c.id),
        c.id,
        c.phone,
        case((literal(is_named["firstName"]), c.first_name), else_=null()),
        case((literal(is_named["lastName"]), c.last_name), else_=null()),
        parts_of(template, people),
    )


def _words() -> dict[str, list[Any]]:
    texts = [("say", words) for words in REPLIES] + [("stop", words) for words in STOPS]
    read = [read_reply(words) for _, words in texts]
    return {
        "kinds": [kind for kind, _ in texts],
        "texts": [words for _, words in texts],
        "intents": [str(reply.intent) for reply in read],
        "reviews": [reply.needs_review for reply in read],
    }
