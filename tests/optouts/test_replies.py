"""Opting out, and back in, by replying to a text."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from flask import Flask

from app.contacts import consent
from app.contacts.consent import ConsentSource
from app.core.uow import across_shops, unit_of_work
from app.integrations.mitto.reports import InboundText
from app.optouts import service
from tests.links.rows import PHONE, a_contact, a_shop_id, a_text, rows, value

inbox_ids = itertools.count(1000)


@pytest.fixture
def shop_id(app: Flask) -> int:
    """A shop with one consenting contact."""
    shop_id = a_shop_id()
    a_contact(shop_id)
    return shop_id


def reply(text: str, *, phone: str = PHONE, sent_to: str | None = None, inbox_id: int | None = None) -> str:
    with across_shops("a test replies"):
        return service.receive_reply(InboundText(phone, text, sent_to, ""), inbox_id or next(inbox_ids))


def consent_of(shop_id: int) -> Any:
    return value("SELECT consent FROM contacts WHERE shop_id = :id", id=shop_id)


def test_stop_ends_the_texts_of_the_shop_that_sent_last(shop_id: int) -> None:
    other = a_shop_id()
    a_contact(other)
    a_text(other)
    sent = a_text(shop_id)

    reply("STOP")

    assert consent_of(shop_id) == "opted_out"
    assert consent_of(other) == "opted_in"
    (event,) = rows("SELECT * FROM consent_events")
    assert (event["shop_id"], event["action"], event["source"]) == (shop_id, "withdraw", "sms_reply")
    assert event["evidence"]["message_id"] == sent.message_id
    assert value("SELECT opted_out FROM message_runs WHERE id = :id", id=sent.run_id) == 1
    (stored,) = rows("SELECT * FROM inbound_messages")
    assert (stored["shop_id"], stored["intent"], stored["phone"]) == (shop_id, "stop", PHONE)


@pytest.mark.parametrize("spelling", ["306912345678", "00306912345678", "+30 691 234 5678", "6912345678"])
def test_the_carrier_may_spell_the_number_as_it_likes(shop_id: int, spelling: str) -> None:
    a_text(shop_id)

    reply("ΔΙΑΓΡΑΦΗ", phone=spelling)

    assert consent_of(shop_id) == "opted_out"


def test_a_reply_goes_to_the_shop_that_sends_from_the_number_it_was_sent_to(shop_id: int) -> None:
    a_text(shop_id, sender="+306900000001")
    later = a_shop_id()
    a_contact(later)
    a_text(later, sender="+306900000002")

    reply("stop", sent_to="306900000001")

    assert consent_of(shop_id) == "opted_out"
    assert consent_of(later) == "opted_in"


@pytest.mark.parametrize("state", ["pending", "skipped", "failed", "not_sent"])
def test_a_message_that_never_left_is_not_what_somebody_answers(shop_id: int, state: str) -> None:
    a_text(shop_id)
    waiting = a_shop_id()
    a_text(waiting, state=state)

    reply("STOP")

    assert consent_of(shop_id) == "opted_out"
    assert rows("SELECT * FROM suppressions WHERE shop_id = :id", id=waiting) == []


def test_the_same_inbox_event_is_obeyed_once(shop_id: int) -> None:
    a_text(shop_id)

    assert reply("STOP", inbox_id=7) == "stop"
    assert reply("STOP", inbox_id=7) == "known"

    assert value("SELECT count(*) FROM inbound_messages") == 1
    assert value("SELECT sum(opted_out) FROM message_runs") == 1


def test_start_undoes_a_stop_and_nothing_else(shop_id: int) -> None:
    a_text(shop_id)

    reply("STOP")
    reply("START")

    assert consent_of(shop_id) == "opted_in"
    assert rows("SELECT * FROM suppressions") == []
    last = rows("SELECT action, source FROM consent_events ORDER BY id DESC LIMIT 1")
    assert last == [{"action": "grant", "source": "sms_reply"}]


@pytest.mark.parametrize("source", [ConsentSource.UNSUBSCRIBE_LINK, ConsentSource.MANUAL])
def test_start_does_not_revive_who_left_another_way(shop_id: int, source: ConsentSource) -> None:
    a_text(shop_id)
    with unit_of_work(shop_id):
        consent.withdraw_by_phone(shop_id, PHONE, source=source)

    reply("START")

    assert consent_of(shop_id) == "opted_out"
    assert value("SELECT count(*) FROM inbound_messages WHERE intent = 'start'") == 1


def test_start_is_no_consent_of_somebody_who_never_gave_one(app: Flask) -> None:
    shop_id = a_shop_id()
    a_contact(shop_id, consent="unknown")
    a_text(shop_id)

    reply("START")

    assert consent_of(shop_id) == "unknown"


def test_start_after_stop_of_a_number_that_is_no_contact_only_lifts_the_suppression(app: Flask) -> None:
    shop_id = a_shop_id()
    a_text(shop_id)

    reply("STOP")
    reply("START")

    assert rows("SELECT * FROM suppressions") == []


@pytest.mark.parametrize(
    ("words", "intent", "needs_review"),
    [
        ("HELP", "help", False),
        ("Do you open on Sunday?", "other", False),
        ("stop texting me now", "stop", True),
    ],
)
def test_every_reply_is_kept_for_the_shop(shop_id: int, words: str, intent: str, needs_review: bool) -> None:
    a_text(shop_id)

    reply(words)

    (stored,) = rows("SELECT * FROM inbound_messages")
    assert (stored["shop_id"], stored["text"], stored["intent"]) == (shop_id, words, intent)
    assert stored["needs_review"] is needs_review


@pytest.mark.parametrize("phone", ["+447911123456", "54321", "Astronote"])
def test_a_reply_from_a_stranger_is_kept_for_no_shop(shop_id: int, phone: str) -> None:
    a_text(shop_id)

    assert reply("STOP", phone=phone) == "no_shop"

    (stored,) = rows("SELECT shop_id, contact_id FROM inbound_messages")
    assert stored == {"shop_id": None, "contact_id": None}
    assert rows("SELECT * FROM suppressions") == []
