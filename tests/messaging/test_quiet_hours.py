"""Marketing keeps to the hours of the recipient's place; what answers the person's own doing does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core import clock
from app.core.errors import ValidationFailed
from app.core.uow import across_shops, unit_of_work
from app.messaging.models import Message, SendingWindow
from app.messaging.service import freezing, hours, sending
from app.messaging.service.freezing import Recipient
from app.messaging.states import RunKind, Source
from app.messaging.wording import word
from app.shops.models import Shop
from tests import build, build_messages

ATHENS = ZoneInfo("Europe/Athens")
GREEK, FRENCH, TEXAN, AMERICAN = "+306912345678", "+33612345678", "+12145550123", "+15005550123"


@pytest.fixture
def shop(app: Flask) -> Iterator[Shop]:
    app.config["SETTINGS"] = replace(before := app.config["SETTINGS"], quiet_hours=True)
    shop = build.a_shop()
    build_messages.credit(shop)
    yield shop
    app.config["SETTINGS"] = before


def opens_at(phone: str, at: datetime) -> datetime | None:
    with across_shops("the hours are the same for all") as session:
        found: datetime | None = session.scalar(
            sa.text("SELECT sending_opens_at(:phone, :at)"), {"phone": phone, "at": at}
        )
    return found


@pytest.mark.parametrize(
    ("phone", "asked", "answer"),
    [
        (GREEK, "2026-11-24T10:00+02:00", "2026-11-24T10:00+02:00"),
        (GREEK, "2026-11-24T19:59+02:00", "2026-11-24T19:59+02:00"),
        (GREEK, "2026-11-24T20:00+02:00", "2026-11-25T09:00+02:00"),
        (GREEK, "2026-11-24T03:07+02:00", "2026-11-24T09:00+02:00"),
        (GREEK, "2026-03-28T21:00+02:00", "2026-03-29T09:00+03:00"),  # the night the clocks go forward
        (GREEK, "2026-10-24T21:00+03:00", "2026-10-25T09:00+02:00"),  # the night they go back
        (FRENCH, "2026-11-28T21:00+01:00", "2026-11-30T10:00+01:00"),  # no Sunday in France
        (TEXAN, "2026-11-29T09:30-06:00", "2026-11-29T12:00-06:00"),  # a Sunday in Texas begins at noon
        (TEXAN, "2026-11-30T09:30-06:00", "2026-11-30T09:30-06:00"),
        (AMERICAN, "2026-11-24T11:00-05:00", "2026-11-24T14:00-05:00"),  # 11 o'clock on both coasts
        ("+99912345678", "2026-11-24T03:00+00:00", "2026-11-24T09:00+00:00"),  # no such place
    ],
)
def test_the_next_moment_at_which_a_number_may_be_texted(
    app: Flask, phone: str, asked: str, answer: str
) -> None:
    assert opens_at(phone, datetime.fromisoformat(asked)) == datetime.fromisoformat(answer)


def frozen(shop: Shop, *phones: str, kind: RunKind) -> int:
    with unit_of_work(shop.id):
        wording = word("Hello there!", constants={}, link_base=build_messages.LINK_BASE)
        run_id = freezing.run_for(shop.id, Source.AUTOMATION, 1, wording, sender="Shop", kind=kind)
        people = [Recipient(phone, None, phone, {}) for phone in phones]
        freezing.freeze_people(shop.id, run_id, people)
    return run_id


def test_marketing_waits_until_the_morning_and_goes_then(shop: Shop) -> None:
    run_id = frozen(shop, GREEK, kind=RunKind.MARKETING)

    with clock.moved(_next(22) - clock.now()):
        batch = sending.claim(shop.id, run_id)
        assert batch is not None
        assert batch.messages == []
        assert sending.claim(shop.id, run_id) is None  # put off, not looked at again and again

    message = build_messages.messages_of(shop, run_id)[0]
    assert message.state == "pending"
    waits = message.send_after - datetime.now(UTC)
    assert timedelta(hours=10) < waits <= timedelta(hours=11)  # from ten in the evening to nine
    build_messages.execute(shop, "UPDATE messages SET send_after = now()")
    with clock.moved(_next(10) - clock.now()):
        batch = sending.claim(shop.id, run_id)
    assert batch is not None
    assert [row.phone for row in batch.messages] == [GREEK]
    build_messages.assert_books_balance()


def test_who_may_be_texted_now_is_not_held_up_by_who_may_not(shop: Shop) -> None:
    run_id = frozen(shop, GREEK, TEXAN, kind=RunKind.MARKETING)

    with clock.moved(_next(10) - clock.now()):  # ten in Athens is the middle of the night in Texas
        batch = sending.claim(shop.id, run_id)

    assert batch is not None
    assert [row.phone for row in batch.messages] == [GREEK]
    assert build_messages.states_of(shop, run_id) == {"claimed": 1, "pending": 1}


def test_what_is_no_marketing_goes_at_night(shop: Shop) -> None:
    run_id = frozen(shop, GREEK, kind=RunKind.TRANSACTIONAL)

    with clock.moved(_next(23) - clock.now()):
        batch = sending.claim(shop.id, run_id)

    assert batch is not None
    assert len(batch.messages) == 1


def test_a_run_of_the_same_words_is_used_again_and_an_event_texts_once(shop: Shop) -> None:
    first = frozen(shop, GREEK, kind=RunKind.MARKETING)
    again = frozen(shop, GREEK, TEXAN, kind=RunKind.MARKETING)

    assert again == first
    with unit_of_work(shop.id) as session:
        assert session.scalar(sa.select(sa.func.count(Message.id)).where(Message.run_id == first)) == 2
    build_messages.assert_books_balance()


def _next(hour: int) -> datetime:
    """The next `hour` o'clock in Athens."""
    today = datetime.now(ATHENS).replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today > datetime.now(ATHENS) else today + timedelta(days=1)


def test_an_operator_replaces_the_hours_and_the_old_ones_are_kept(app: Flask) -> None:
    run = app.test_cli_runner()
    shown = run.invoke(args=["quiet-hours", "show"]).output
    assert shown.splitlines()[1] == "*,,1,09:00,20:00"
    evening = datetime.fromisoformat("2026-11-24T21:00+02:00")
    try:
        assert hours.replace_windows(["country,state,weekday,opens,closes", *_all_day("*")]) == 2
        assert opens_at(GREEK, evening) == evening
    finally:
        with across_shops("the hours are the same for all") as session:
            session.execute(sa.delete(SendingWindow).where(SendingWindow.version > 1))


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("GR,,8,09:00,20:00", "line 2"),
        ("GR,,1,20:00,09:00", "line 2"),
        ("GR,,1,9,20", "line 2"),
        ("GR,,1,09:00,20:00", "country"),
    ],
)
def test_hours_that_make_no_sense_are_refused(app: Flask, line: str, field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        hours.replace_windows(["country,state,weekday,opens,closes", line])

    assert refused.value.details[0]["field"] == field


def _all_day(country: str) -> list[str]:
    return [f"{country},,{weekday},00:00,23:59" for weekday in range(1, 8)]
