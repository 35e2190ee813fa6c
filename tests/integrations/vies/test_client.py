"""The EU's register of VAT numbers, asked over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from app.integrations.vies.client import look_up
from app.integrations.vies.errors import VatRegisterUnavailable
from tests.vies_world import ViesWorld


def test_a_valid_number_comes_with_the_consultation_that_proves_it(vies_world: ViesWorld):
    told = look_up("DE", "123456789")

    assert told.is_valid
    assert told.number
    assert told.number.startswith("WAPI")
    assert abs(told.at - datetime.now(UTC)) < timedelta(minutes=1)


def test_we_say_who_asks_and_greece_is_el(vies_world: ViesWorld):
    look_up("GR", "123456789")

    assert vies_world.asked() == [
        {
            "country": "EL",
            "number": "123456789",
            "requesterMemberStateCode": "EL",
            "requesterNumber": "123456789",
        }
    ]


def test_who_does_not_say_who_asks_gets_an_answer_without_a_number(vies_world: ViesWorld, app: Flask):
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], seller_vat_number=None)

    told = look_up("DE", "123456789")

    assert (told.is_valid, told.number) == (True, None)


@pytest.mark.parametrize("number", ["123456000", "1", "1?x=y#z"])
def test_an_invalid_number_is_a_clear_no(vies_world: ViesWorld, number: str):
    assert not look_up("DE", number).is_valid


def test_a_number_cannot_leave_its_place_in_the_address(vies_world: ViesWorld):
    with pytest.raises(VatRegisterUnavailable):
        look_up("DE", "1/../../FR/vat/22")
    assert vies_world.asked() == []


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        ("member_state_unavailable", "MS_UNAVAILABLE"),
        ("too_many", "MS_MAX_CONCURRENT_REQ"),
        ("service_unavailable", "SERVICE_UNAVAILABLE"),
        ("timeout", "TIMEOUT"),
        ("broken", "INTERNAL_SERVER_ERROR"),
        ("malformed", "MALFORMED"),
    ],
)
def test_an_outage_is_neither_yes_nor_no(vies_world: ViesWorld, outcome: str, reason: str):
    vies_world.behave(outcome)

    with pytest.raises(VatRegisterUnavailable) as refusal:
        look_up("DE", "123456789")

    assert refusal.value.reason == reason


def test_a_register_that_takes_too_long_is_unavailable(vies_world: ViesWorld):
    vies_world.behave(slow=1)

    with pytest.raises(VatRegisterUnavailable) as refusal:
        look_up("DE", "123456789", patience_seconds=0.2)

    assert refusal.value.reason == "ReadTimeout"


def test_a_register_that_is_not_there_is_unavailable(app: Flask):
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, vies_api_base="http://127.0.0.1:9")
    try:
        with pytest.raises(VatRegisterUnavailable):
            look_up("DE", "123456789")
    finally:
        app.config["SETTINGS"] = before
