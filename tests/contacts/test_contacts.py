"""Keeping contacts, as both web clients do it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.core.database import db
from tests import build, build_contacts
from tests.contacts.asking import change, create, refused

ATHENS = ZoneInfo("Europe/Athens")


def test_a_contact_has_every_key_that_the_clients_read(client, shop):
    made = create(
        client,
        shop,
        firstName=" Μαρία ",
        lastName="Παπαδοπούλου",
        email="Maria@Example.com ",
        gender="female",
        birthDate="1990-05-15",
        smsConsent="opted_in",
        tags=["VIP", " VIP ", "Athens"],
    )

    assert made.status_code == 201
    contact = made.json["data"]
    at = contact["smsConsentAt"]
    assert at.endswith("Z")
    assert contact == {
        "id": contact["id"],
        "phone": "+306912345678",
        "phoneE164": "+306912345678",
        "email": "maria@example.com",
        "firstName": "Μαρία",
        "lastName": "Παπαδοπούλου",
        "gender": "female",
        "birthday": "1990-05-15",
        "birthDate": "1990-05-15",
        "isSubscribed": True,
        "smsConsent": "opted_in",
        "smsConsentStatus": "opted_in",
        "smsConsentAt": at,
        "consentStatus": "opted_in",
        "tags": ["VIP", "Athens"],
        "hasPurchased": False,
        "lastOrderAt": None,
        "createdAt": contact["createdAt"],
        "updatedAt": contact["updatedAt"],
    }
    shown = client.get(f"/contacts/{contact['id']}", headers=build.auth(shop))
    assert shown.json["data"] == contact


def test_a_phone_alone_makes_a_contact_of_unknown_consent(client, shop):
    contact = create(client, shop).json["data"]

    assert contact["smsConsent"] == "unknown"
    assert contact["smsConsentStatus"] is None
    assert contact["smsConsentAt"] is None
    assert contact["isSubscribed"] is True
    assert contact["tags"] == []
    assert [contact[key] for key in ("firstName", "lastName", "email", "gender", "birthDate")] == [None] * 5


def test_the_untouched_form_of_the_first_client_is_accepted(client, shop):
    made = create(
        client,
        shop,
        gender="__not_specified__",
        firstName="",
        lastName="   ",
        email="",
        birthDate=None,
        smsConsent="opted_in",
        tags=[],
        somethingElse={"ignored": True},
    )

    assert made.status_code == 201
    assert made.json["data"]["gender"] is None
    assert made.json["data"]["firstName"] is None
    assert made.json["data"]["lastName"] is None
    assert made.json["data"]["email"] is None


def test_the_old_names_of_phone_and_birth_date_are_accepted(client, shop):
    made = client.post(
        "/contacts",
        json={"phone": "691 234 5678", "birthday": "2001-02-28", "gender": ""},
        headers=build.auth(shop),
    )

    assert made.status_code == 201
    assert made.json["data"]["phoneE164"] == "+306912345678"
    assert made.json["data"]["birthDate"] == "2001-02-28"


def test_a_national_number_belongs_to_the_shops_country(client, app):
    british = build.a_shop(country="GB")

    made = create(client, british, phoneE164="07400 123456")

    assert made.json["data"]["phoneE164"] == "+447400123456"


@pytest.mark.parametrize(
    ("phone", "sentence"),
    [
        ("2101234567", "is not a mobile number, so it cannot receive texts"),
        ("hello", "is not a phone number"),
        ("+30", "phone number"),
        ("", "is required"),
        ("9" * 300, "phone number"),
    ],
)
def test_a_number_that_cannot_receive_texts_is_refused_with_the_reason(client, shop, phone, sentence):
    response = create(client, shop, phoneE164=phone)

    assert refused(response, "phoneE164")
    assert sentence in response.json["details"][0]["message"]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("1990-05-15", "1990-05-15"),
        ("1990-05-15T00:00:00.000Z", "1990-05-15"),  # the first client: UTC midnight of the picked day
        ("1990-05-15T00:00:00+00:00", "1990-05-15"),
        ("1990-05-14T21:00:00.000Z", "1990-05-15"),  # the second client: Athens midnight as UTC
        ("1990-01-14T22:00:00.000Z", "1990-01-15"),
        ("1990-05-15T10:30", "1990-05-15"),
        ("2000-02-29", "2000-02-29"),
        ("0001-01-01", "0001-01-01"),
        ("", None),
        (None, None),
    ],
)
def test_a_birth_date_is_the_day_that_was_picked_in_either_client(client, shop, sent, stored):
    response = create(client, shop, birthDate=sent)

    assert response.status_code == 201, response.json
    assert response.json["data"]["birthDate"] == stored
    assert response.json["data"]["birthday"] == stored


def test_today_is_a_birth_date_and_tomorrow_is_not(client, shop):
    today = datetime.now(ATHENS).date()

    assert create(client, shop, birthDate=today.isoformat()).status_code == 201
    assert refused(
        create(client, shop, phoneE164="+306900000001", birthDate=(today + timedelta(2)).isoformat()),
        "birthDate",
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("firstName", "x" * 101),
        ("lastName", 7),
        ("firstName", {"$ne": None}),
        ("email", "not an address"),
        ("email", "😀@example.com"),
        ("email", "a" * 250 + "@example.com"),
        ("gender", "unicorn"),
        ("smsConsent", "yes"),
        ("isSubscribed", "perhaps"),
        ("birthDate", "15/05/1990"),
        ("birthDate", "2023-02-29"),
        ("birthDate", "9999-12-31T23:59:59Z"),
        ("birthDate", "0001-01-01T00:00:00+14:00"),
        ("birthDate", "20200101"),
        ("birthDate", 631152000),
        ("tags", "VIP"),
        ("tags", ["x" * 51]),
        ("tags", [f"tag {number}" for number in range(51)]),
        ("firstName", "nul\x00byte"),
        ("lastName", "half a \ud83d pair"),
        ("phoneE164", None),
        ("phoneE164", 306912345678),
    ],
)
def test_a_malformed_value_is_refused_by_the_name_of_its_field(client, shop, field, value):
    assert refused(create(client, shop, **{field: value}), field)


def test_a_malformed_tag_is_refused_by_its_place(client, shop):
    assert refused(create(client, shop, tags=["fine", 7]), "tags.1")
    assert refused(create(client, shop, tags=["fine", "nul\x00"]), "tags[1]")


def test_emoji_and_greek_survive_wherever_free_text_may_stand(client, shop):
    made = create(client, shop, firstName="👩‍👧 Ελένη", lastName="🎉" * 100, tags=["🔥", "καλός πελάτης"])

    assert made.status_code == 201
    contact = made.json["data"]
    assert (contact["firstName"], contact["lastName"]) == ("👩‍👧 Ελένη", "🎉" * 100)
    assert contact["tags"] == ["🔥", "καλός πελάτης"]


def test_control_characters_and_line_breaks_do_not_reach_a_name(client, shop):
    made = create(client, shop, firstName="\tMa\x07ria\r\n Eleni\x1b", tags=["\x01", "a\nb"])

    assert made.json["data"]["firstName"] == "Maria Eleni"
    assert made.json["data"]["tags"] == ["a b"]


def test_a_phone_that_the_shop_has_already_is_a_conflict(client, shop):
    create(client, shop)

    assert refused(create(client, shop, phoneE164="691 234 5678"), "phoneE164", 409, "CONFLICT")


def test_an_email_that_the_shop_has_already_is_a_conflict(client, shop):
    create(client, shop, email="maria@example.com")

    again = create(client, shop, phoneE164="+306900000001", email="MARIA@example.com")

    assert refused(again, "email", 409, "CONFLICT")


def test_many_contacts_may_have_no_email(client, shop):
    assert create(client, shop, email=None).status_code == 201
    assert create(client, shop, phoneE164="+306900000001", email="").status_code == 201


def test_two_people_adding_the_same_number_at_once_make_one_contact(app, shop):
    start = threading.Barrier(2)
    answers: list[int] = []

    def add() -> None:
        client = app.test_client()
        start.wait()
        with app.app_context():
            answers.append(create(client, shop).status_code)
            db.session.remove()

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [201, 409]


def test_two_contacts_taking_the_same_email_at_once_end_with_one_owner(app, client, shop):
    ids = [build_contacts.a_contact(shop).id for _ in range(2)]
    start = threading.Barrier(2)
    answers: list[int] = []

    def take(contact_id: int) -> None:
        start.wait()
        with app.app_context():
            answers.append(change(app.test_client(), shop, contact_id, email="one@example.com").status_code)
            db.session.remove()

    threads = [threading.Thread(target=take, args=(contact_id,)) for contact_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [200, 409]


def test_another_shop_neither_sees_nor_touches_a_contact(client, shop, stranger):
    contact = create(client, shop, email="m@example.com").json["data"]

    for response in (
        client.get(f"/contacts/{contact['id']}", headers=build.auth(stranger)),
        change(client, stranger, contact["id"], firstName="Mine"),
        client.delete(f"/contacts/{contact['id']}", headers=build.auth(stranger)),
    ):
        assert (response.status_code, response.json["code"]) == (404, "NOT_FOUND")
    assert create(client, stranger, email="m@example.com").status_code == 201
    assert build_contacts.reload_contact(shop, int(contact["id"])).first_name is None


@pytest.mark.parametrize("path", ["/contacts/abc", "/contacts/-1", f"/contacts/{'9' * 19}", "/contacts/1.5"])
def test_what_is_no_id_is_not_found(client, shop, path):
    assert client.get(path, headers=build.auth(shop)).status_code == 404


def test_contacts_need_a_signed_in_shop(client, app):
    assert client.get("/contacts").status_code == 401
    assert client.post("/contacts", json={}).status_code == 401


def test_times_are_utc_instants(client, shop):
    contact = create(client, shop).json["data"]

    moment = datetime.fromisoformat(contact["createdAt"])

    assert moment.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
