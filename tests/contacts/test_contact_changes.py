"""Changing and deleting contacts, as both web clients do it."""

from __future__ import annotations

import threading

import pytest

from app.core.database import db
from tests import build, build_contacts
from tests.contacts.asking import change, create, refused


def test_an_update_changes_what_it_names_and_nothing_else(client, shop):
    contact = create(client, shop, firstName="Maria", email="m@example.com", tags=["VIP"]).json["data"]

    changed = change(client, shop, contact["id"], lastName="Pappa")

    assert changed.status_code == 200
    assert changed.json["data"] == {
        **contact,
        "lastName": "Pappa",
        "updatedAt": changed.json["data"]["updatedAt"],
    }


def test_null_clears(client, shop):
    contact = create(
        client,
        shop,
        firstName="M",
        lastName="P",
        email="m@example.com",
        gender="other",
        birthDate="1990-01-01",
        tags=["VIP"],
    ).json["data"]
    names = ("firstName", "lastName", "email", "gender", "birthDate")

    changed = change(client, shop, contact["id"], **dict.fromkeys((*names, "tags")))

    assert changed.status_code == 200
    assert [changed.json["data"][name] for name in names] == [None] * 5
    assert changed.json["data"]["tags"] == []


def test_a_body_of_nulls_alone_is_an_update(client, shop):
    contact = create(client, shop, smsConsent="opted_in").json["data"]
    nulls = dict.fromkeys(("phoneE164", "firstName", "smsConsent", "isSubscribed", "gender"))

    changed = change(client, shop, contact["id"], **nulls)

    assert changed.status_code == 200
    assert changed.json["data"]["phoneE164"] == "+306912345678"
    assert changed.json["data"]["smsConsent"] == "opted_in"


@pytest.mark.parametrize("body", [{}, {"unknownKey": 1}])
def test_an_update_that_names_no_field_is_refused(client, shop, body):
    contact = create(client, shop).json["data"]

    assert refused(change(client, shop, contact["id"], **body), "body")


def test_the_full_form_of_both_clients_is_accepted_as_an_update(client, shop):
    contact = create(client, shop, smsConsent="opted_in").json["data"]

    changed = change(client, shop, contact["id"], **{**contact, "firstName": "Eleni", "gender": ""})

    assert changed.status_code == 200, changed.json
    assert changed.json["data"]["firstName"] == "Eleni"
    assert changed.json["data"]["smsConsentAt"] == contact["smsConsentAt"]


def test_an_update_cannot_take_anothers_phone_or_email(client, shop):
    create(client, shop, email="taken@example.com")
    other = build_contacts.a_contact(shop)

    by_phone = change(client, shop, other.id, phoneE164="+306912345678")
    by_email = change(client, shop, other.id, email="Taken@example.com")

    assert refused(by_phone, "phoneE164", 409, "CONFLICT")
    assert refused(by_email, "email", 409, "CONFLICT")


def test_an_update_cannot_empty_the_phone(client, shop):
    contact = build_contacts.a_contact(shop)

    assert refused(change(client, shop, contact.id, phoneE164=""), "phoneE164")


def test_a_deleted_contact_is_gone_and_may_be_added_again(client, shop):
    contact = create(client, shop).json["data"]

    gone = client.delete(f"/contacts/{contact['id']}", headers=build.auth(shop))

    assert gone.status_code == 200
    assert gone.json["data"] is None
    for response in (
        client.get(f"/contacts/{contact['id']}", headers=build.auth(shop)),
        client.delete(f"/contacts/{contact['id']}", headers=build.auth(shop)),
        change(client, shop, contact["id"], firstName="Late"),
    ):
        assert (response.status_code, response.json["code"]) == (404, "NOT_FOUND")
    assert create(client, shop).status_code == 201


def test_fifty_deletes_at_once_all_succeed(app, client, shop):
    ids = build_contacts.contacts(shop, 50)
    answers: list[int] = []

    def remove(some: list[int]) -> None:
        with app.app_context():
            mine = app.test_client()
            for contact_id in some:
                answers.append(mine.delete(f"/contacts/{contact_id}", headers=build.auth(shop)).status_code)
            db.session.remove()

    threads = [threading.Thread(target=remove, args=(ids[start::5],)) for start in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [200] * 50
