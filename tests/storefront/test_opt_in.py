"""Signing up on a storefront."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests import build_contacts
from tests.storefront.conftest import AGENT, PAGE, WORDING, Storefront

PHONE = "+306912345678"


def test_who_signs_up_becomes_a_contact_who_consents(storefront: Storefront):
    answer = storefront.opt_in(
        PHONE, firstName=" Maria ", lastName="Pappa", birthday="1990-05-15", gender="female", source="footer"
    )

    assert answer.status_code == 200, answer.text
    data = answer.json["data"]
    assert isinstance(data.pop("contactId"), str)
    assert data == {
        "phone": PHONE,
        "smsConsent": "opted_in",
        "firstName": "Maria",
        "lastName": "Pappa",
        "birthday": "1990-05-15",
        "gender": "female",
    }
    contact = storefront.contact(PHONE)
    assert contact is not None
    assert (contact.first_name, contact.last_name, contact.gender) == ("Maria", "Pappa", "female")
    assert (contact.birth_date, contact.tags) == (date(1990, 5, 15), ["opt-in-footer"])
    assert (contact.consent, contact.consent_source) == ("opted_in", "opt_in_form")
    assert contact.consent_at is not None
    assert contact.is_subscribed
    assert storefront.texts() == []


def test_the_consent_can_be_proved(storefront: Storefront):
    storefront.opt_in(PHONE, consentText=WORDING, pageUrl=PAGE)

    (event,) = storefront.events()
    contact = storefront.contact(PHONE)
    assert contact is not None
    assert (event.action, event.source, event.phone) == ("grant", "opt_in_form", PHONE)
    assert event.contact_id == contact.id
    assert event.at == contact.consent_at
    assert event.wording == WORDING
    assert event.evidence == {
        "form": "theme-banner",
        "ip": "127.0.0.1",
        "user_agent": AGENT,
        "page_url": PAGE,
    }


def test_the_page_is_taken_from_the_browser_when_the_form_does_not_name_it(storefront: Storefront):
    storefront.opt_in(PHONE, headers={"Referer": PAGE, "User-Agent": "A\tB" + "x" * 900})

    (event,) = storefront.events()
    assert event.evidence["page_url"] == PAGE
    assert event.evidence["user_agent"].startswith("A Bx")
    assert len(event.evidence["user_agent"]) == 500


def test_signing_up_twice_is_signing_up_once(storefront: Storefront):
    first = storefront.opt_in(PHONE, firstName="Maria")
    second = storefront.opt_in(PHONE, firstName="Maria")

    assert first.json["data"] == second.json["data"]
    assert len(storefront.events()) == 1
    contact = storefront.contact(PHONE)
    assert contact is not None
    assert contact.tags == ["opt-in-theme-banner"]


def test_two_forms_at_once_make_one_contact(app: Flask, storefront: Storefront):
    together, codes = threading.Barrier(4), []

    def submit() -> None:
        form = {"phone": PHONE, "consent": True, "shopDomain": storefront.shop.domain}
        together.wait(5)
        codes.append(app.test_client().post("/api/opt-in", json=form).status_code)

    visitors = [threading.Thread(target=submit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(20)

    assert codes == [200] * 4
    assert len(storefront.events()) == 1


def test_a_stranger_fills_gaps_and_changes_nothing_that_is_known(storefront: Storefront):
    known = build_contacts.a_contact(
        storefront.shop, phone=PHONE, first_name="Maria", birth_date=date(1990, 5, 15),
        tags=["vip"], consent="unknown",
    )  # fmt: skip

    storefront.opt_in(PHONE, firstName="Mallory", lastName="Pappa", birthday="1980-01-01", gender="male")

    contact = storefront.contact(PHONE)
    assert contact is not None
    assert contact.id == known.id
    assert (contact.first_name, contact.last_name, contact.gender) == ("Maria", "Pappa", "male")
    assert contact.birth_date == date(1990, 5, 15)
    assert contact.tags == ["vip", "opt-in-theme-banner"]
    assert contact.consent == "opted_in"


def test_a_contact_who_consents_already_keeps_the_first_evidence(storefront: Storefront):
    build_contacts.a_contact(storefront.shop, phone=PHONE)

    storefront.opt_in(PHONE, consentText=WORDING)

    assert [event.source for event in storefront.events()] == ["manual"]


def test_a_full_list_of_tags_gets_no_longer(storefront: Storefront):
    tags = [f"tag {number}" for number in range(50)]
    build_contacts.a_contact(storefront.shop, phone=PHONE, tags=tags)

    storefront.opt_in(PHONE)

    contact = storefront.contact(PHONE)
    assert contact is not None
    assert contact.tags == tags


def test_the_answer_does_not_tell_whether_the_number_was_known(storefront: Storefront):
    form = {"firstName": "Maria", "lastName": "Pappa"}
    unknown = storefront.opt_in(PHONE, **form).json
    opted_in = storefront.opt_in(PHONE, **form).json
    build_contacts.a_suppression(storefront.shop, PHONE)
    opted_out = storefront.opt_in(PHONE, **form).json
    asked = storefront.opt_in(PHONE, **form).json

    for answer in (unknown, opted_in, opted_out, asked):
        for fleeting in ("requestId", "timestamp"):
            answer.pop(fleeting)
    assert unknown == opted_in == opted_out == asked


def test_each_shop_has_its_own_consents(storefront: Storefront, other: Storefront):
    storefront.opt_in(PHONE)

    assert storefront.consent_of(PHONE) == "opted_in"
    assert other.contact(PHONE) is None


def test_an_opt_out_of_another_shop_is_no_business_of_this_one(storefront: Storefront, other: Storefront):
    build_contacts.a_suppression(other.shop, PHONE)

    storefront.opt_in(PHONE)

    assert storefront.consent_of(PHONE) == "opted_in"
    assert storefront.texts() == []
    assert build_contacts.suppressed_phones(other.shop) == {PHONE}


def test_national_numbers_belong_to_the_country_of_the_shop(storefront: Storefront):
    assert storefront.opt_in("6912 345 678").json["data"]["phone"] == PHONE


def test_a_storefront_may_call_from_its_own_page(client: FlaskClient, storefront: Storefront):
    origin = f"https://{storefront.shop.domain}"

    answer = storefront.opt_in(PHONE, headers={"Origin": origin})

    assert answer.headers["Access-Control-Allow-Origin"] == origin


def test_a_shop_that_is_not_here_is_not_found(client: FlaskClient, app: Flask):
    form = {"phone": PHONE, "consent": True, "shopDomain": "nobody.myshopify.com"}

    answer = client.post("/api/opt-in", json=form)

    assert answer.status_code == 404, "401 would log a merchant out"
    assert answer.json["code"] == "NOT_FOUND"


@pytest.mark.parametrize("consent", [False, None, "true", "yes", 1, [], "1", {"consent": True}])
def test_without_a_clear_yes_nothing_happens(storefront: Storefront, consent: Any):
    answer = storefront.opt_in(PHONE, consent=consent)

    assert answer.status_code == 400
    assert answer.json["details"][0]["field"] == "consent"
    assert storefront.contact(PHONE) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", ""),
        ("phone", "+302101234567"),
        ("phone", "+1"),
        ("phone", "<script>"),
        ("phone", 6912345678),
        ("phone", "+306912345678, +306900000001"),
        ("phone", "9" * 5000),
        ("shopDomain", "https://evil.example"),
        ("shopDomain", "evil.example"),
        ("shopDomain", "a.myshopify.com.evil.example"),
        ("shopDomain", ""),
        ("shopDomain", None),
        ("birthday", "2999-01-01"),
        ("birthday", "15/05/1990"),
        ("birthday", "yesterday"),
        ("gender", "robot"),
        ("firstName", "x" * 101),
        ("lastName", ["Pappa"]),
        ("source", ""),
        ("source", "a b"),
        ("source", "x" * 41),
        ("source", "a\n"),
        ("source", None),
        ("consentText", "x" * 1001),
        ("pageUrl", "x" * 2001),
        ("pageUrl", "a\x00b"),
    ],
)
def test_what_cannot_be_right_is_named(storefront: Storefront, field: str, value: Any):
    form = {"phone": PHONE, "consent": True, "shopDomain": storefront.shop.domain, field: value}

    answer = storefront.client.post("/api/opt-in", json=form)

    assert answer.status_code == 400, answer.text
    assert answer.json["code"] == "VALIDATION_ERROR"
    assert answer.json["details"][0]["field"] == field
    assert storefront.contact(PHONE) is None


@pytest.mark.parametrize("field", ["phone", "consent", "shopDomain"])
def test_what_must_be_there_is_asked_for(storefront: Storefront, field: str):
    form = {"phone": PHONE, "consent": True, "shopDomain": storefront.shop.domain}
    del form[field]

    answer = storefront.client.post("/api/opt-in", json=form)

    assert answer.status_code == 400
    assert answer.json["details"][0]["field"] == field
