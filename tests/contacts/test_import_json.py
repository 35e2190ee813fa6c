"""Importing a list that the client has parsed."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests import build, build_contacts
from tests.contacts.import_files import state

PHONE = "+306912345678"
OTHER = "+306912345679"


@pytest.fixture
def shop(app: Flask) -> Any:
    return build.a_shop()


@pytest.fixture
def send(client, shop):
    def send(*rows):
        response = client.post("/contacts/import", json={"contacts": rows}, headers=build.auth(shop))
        assert response.status_code == 200, response.json
        return response.json["data"]

    return send


def consents(shop):
    return {row[0]: row[8] for row in state(shop)["contacts"]}


def actions(shop):
    return [(event[0], event[1], event[3]) for event in state(shop)["events"]]


def test_a_list_creates_contacts_with_what_each_row_gives(send, shop):
    result = send(
        {
            "phoneE164": "6912345678",
            "firstName": "Μαρία",
            "lastName": "P.",
            "email": "Maria@Example.com",
            "gender": "female",
            "birthDate": "1990-05-15",
            "smsConsent": "opted_in",
            "tags": ["VIP"],
        },
        {"phoneE164": OTHER},
    )

    assert result == {
        "total": 2, "created": 2, "updated": 0, "skipped": 0, "errors": [], "imported": 2, "invalid": 0
    }  # fmt: skip
    first, second = state(shop)["contacts"]
    assert first[:6] == (PHONE, "GR", "maria@example.com", "Μαρία", "P.", "female")
    assert (first[6].isoformat(), first[7:]) == ("1990-05-15", (["VIP"], "opted_in", "import", True, False))
    assert second == (OTHER, "GR", None, None, None, None, None, [], "unknown", None, False, False)


def test_a_bad_row_is_named_and_the_others_are_taken(send, shop):
    result = send(
        {"phoneE164": PHONE, "email": "junk", "birthDate": "31/31/2000"},
        {"phoneE164": "2101234567"},
        {"phoneE164": None},
        "not a row",
        {"phoneE164": OTHER, "firstName": "a\x00b\ud800", "gender": "robot", "smsConsent": "perhaps"},
    )

    assert (result["total"], result["created"], result["skipped"]) == (5, 2, 3)
    assert [(error["row"], error["field"], error["phone"]) for error in result["errors"]] == [
        (1, "birthDate", PHONE),
        (1, "email", PHONE),
        (2, "phoneE164", "2101234567"),
        (3, "phoneE164", ""),
        (4, "contacts", None),
        (5, "firstName", OTHER),
    ]
    assert all(error["error"].endswith(".") for error in result["errors"])
    assert state(shop)["contacts"][1][3] == "ab"


@pytest.mark.parametrize("body", [{}, {"contacts": []}, {"contacts": "x"}, {"contacts": [{}] * 1001}])
def test_a_list_has_one_to_a_thousand_rows(client, shop, body):
    response = client.post("/contacts/import", json=body, headers=build.auth(shop))

    assert (response.status_code, response.json["code"]) == (400, "VALIDATION_ERROR")
    assert response.json["details"][0]["field"] == "contacts"


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [("{", "application/json", "INVALID_JSON"), ("phone\n69", "text/csv", "INVALID_CONTENT_TYPE")],
)
def test_a_body_that_is_no_list_at_all_is_refused_with_a_reason(client, shop, content, kind, code):
    response = client.post("/contacts/import", data=content, content_type=kind, headers=build.auth(shop))

    assert (response.status_code, response.json["code"]) == (400, code)


def test_rows_about_one_phone_make_one_contact_and_the_last_word_counts(send, shop):
    result = send({"phoneE164": PHONE, "firstName": "A", "tags": "x"}, {"phoneE164": PHONE, "firstName": "B"})

    assert (result["total"], result["created"], result["updated"], result["skipped"]) == (2, 1, 1, 0)
    (only,) = state(shop)["contacts"]
    assert (only[3], only[7]) == ("B", ["x"])


def test_an_update_changes_only_what_the_row_gives(send, shop):
    build_contacts.a_contact(shop, phone=PHONE, first_name="Anna", email="a@b.gr", tags=["old"])

    result = send({"phoneE164": PHONE, "firstName": "", "lastName": "New", "email": None, "tags": []})

    assert (result["created"], result["updated"]) == (0, 1)
    (only,) = state(shop)["contacts"]
    assert (only[2], only[3], only[4], only[7], only[8]) == ("a@b.gr", "Anna", "New", ["old"], "opted_in")


def test_an_import_never_revives_an_opt_out(send, shop):
    build_contacts.a_contact(shop, phone=PHONE, consent="opted_out")
    before = actions(shop)

    result = send({"phoneE164": PHONE, "smsConsent": "opted_in"})

    assert consents(shop) == {PHONE: "opted_out"}
    assert actions(shop) == before
    assert [(error["field"], error["phone"]) for error in result["errors"]] == [("smsConsent", PHONE)]


def test_a_suppressed_phone_comes_in_opted_out(send, shop):
    build_contacts.a_suppression(shop, PHONE)

    send({"phoneE164": PHONE, "smsConsent": "opted_in"}, {"phoneE164": OTHER, "smsConsent": "opted_in"})

    assert consents(shop) == {PHONE: "opted_out", OTHER: "opted_in"}


def test_a_row_that_says_nothing_about_consent_keeps_what_is(send, shop):
    build_contacts.a_contact(shop, phone=PHONE, consent="opted_in")
    before = state(shop)

    send({"phoneE164": PHONE, "smsConsent": "unknown"}, {"phoneE164": PHONE})

    assert state(shop) == before


def test_consent_and_refusal_in_a_list_are_recorded_once_with_their_row(send, shop):
    build_contacts.a_contact(shop, phone=PHONE, consent="unknown")
    build_contacts.a_contact(shop, phone=OTHER, consent="unknown")
    rows = [{"phoneE164": PHONE, "smsConsent": "opted_in"}, {"phoneE164": OTHER, "smsConsent": "opted_out"}]

    send(*rows)
    send(*rows)

    assert actions(shop) == [(PHONE, "grant", 1), (OTHER, "withdraw", 2)]
    assert consents(shop) == {PHONE: "opted_in", OTHER: "opted_out"}
    assert state(shop)["suppressed"] == [(OTHER, "import")]


def test_an_email_of_another_contact_is_left_with_its_owner(send, shop):
    build_contacts.a_contact(shop, phone=PHONE, email="a@b.gr")

    result = send(
        {"phoneE164": OTHER, "email": "A@b.gr"},
        {"phoneE164": PHONE, "email": "a@b.gr"},
        {"phoneE164": "+306912345670", "email": "new@b.gr"},
        {"phoneE164": "+306912345671", "email": "new@b.gr"},
    )

    assert [(error["row"], error["field"], error["value"]) for error in result["errors"]] == [
        (1, "email", "a@b.gr"),
        (4, "email", "new@b.gr"),
    ]
    assert [row[2] for row in state(shop)["contacts"]] == ["new@b.gr", None, "a@b.gr", None]


def test_a_list_touches_no_contact_of_another_shop(send, shop):
    other = build.a_shop()
    build_contacts.a_contact(other, phone=PHONE, email="a@b.gr", consent="opted_out")
    before = state(other)

    result = send({"phoneE164": PHONE, "email": "a@b.gr", "smsConsent": "opted_in"})

    assert (result["created"], result["errors"]) == (1, [])
    assert state(other) == before


def test_a_list_that_says_nothing_new_writes_nothing(send, shop):
    known = build_contacts.a_contact(shop, phone=PHONE, first_name="Anna", tags=["a"])

    result = send({"phoneE164": PHONE, "firstName": "Anna", "tags": ["a"], "smsConsent": "opted_in"})

    assert (result["created"], result["updated"]) == (0, 1)
    assert build_contacts.reload_contact(shop, known.id).updated_at == known.updated_at
