"""The list of numbers that get no texts from a shop."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.shops.models import Shop
from tests import build, build_contacts
from tests.build_contacts import consent_events, reload_contact, suppressed_phones


def suppress(client: FlaskClient, shop: Shop, phones: Any) -> TestResponse:
    return client.post("/suppressions", json={"phones": phones}, headers=build.auth(shop))


def test_one_bad_row_is_reported_and_the_others_are_taken(client, shop):
    response = suppress(
        client, shop, ["691 234 5678", "not a phone", "+306912345679", None, {"a": 1}, "2101234567"]
    )

    assert response.status_code == 200
    body = response.json["data"]
    assert (body["added"], body["already"]) == (2, 0)
    assert [error["row"] for error in body["errors"]] == [2, 4, 5, 6]
    assert body["errors"][0] == {"row": 2, "phone": "not a phone", "error": "is not a phone number"}
    assert suppressed_phones(shop) == {"+306912345678", "+306912345679"}


def test_numbers_that_are_there_already_or_twice_are_counted(client, shop):
    there = build_contacts.a_suppression(shop)

    body = suppress(client, shop, [there, "+306912345678", "6912345678"]).json["data"]

    assert body == {"added": 1, "already": 2, "errors": []}


def test_suppressing_a_contacts_number_opts_the_contact_out(client, shop):
    contact = build_contacts.a_contact(shop)

    suppress(client, shop, [contact.phone])

    assert reload_contact(shop, contact.id).consent == "opted_out"
    assert [event.action for event in consent_events(shop)] == ["grant", "withdraw"]


@pytest.mark.parametrize("phones", [[], None, "6912345678", ["6912345678"] * 1001])
def test_a_list_that_is_none_or_too_long_is_refused(client, shop, phones):
    response = suppress(client, shop, phones)

    assert response.status_code == 400
    assert [detail["field"] for detail in response.json["details"]] == ["phones"]


def test_the_list_is_paged_latest_first(client, shop):
    phones = [build_contacts.a_suppression(shop) for _ in range(3)]

    first = client.get("/suppressions?pageSize=2", headers=build.auth(shop)).json["data"]
    beyond = client.get("/suppressions?page=9", headers=build.auth(shop)).json["data"]

    assert [item["phone"] for item in first["items"]] == [phones[2], phones[1]]
    assert first["suppressions"] == first["items"]
    assert first["items"][0]["source"] == "sms_reply"
    assert first["items"][0]["createdAt"].endswith("Z")
    assert first["pagination"]["total"] == 3
    assert (beyond["items"], beyond["total"]) == ([], 3)


@pytest.mark.parametrize("written", ["+306912345678", "%2B306912345678", "691 234 5678"])
def test_a_number_taken_off_the_list_needs_a_new_consent(client, shop, written):
    contact = build_contacts.a_contact(shop, phone="+306912345678", consent="opted_out")

    response = client.delete(f"/suppressions/{written}", headers=build.auth(shop))

    assert response.status_code == 200
    assert suppressed_phones(shop) == set()
    assert reload_contact(shop, contact.id).consent == "unknown"
    assert [event.action for event in consent_events(shop)] == ["withdraw", "reset"]


def test_a_number_without_a_contact_can_be_taken_off(client, shop):
    phone = build_contacts.a_suppression(shop)

    assert client.delete(f"/suppressions/{phone}", headers=build.auth(shop)).status_code == 200
    assert [event.action for event in consent_events(shop)] == ["withdraw", "reset"]


@pytest.mark.parametrize("phone", ["+306912345678", "nonsense", "%F0%9F%98%80"])
def test_a_number_that_is_not_on_the_list_is_not_found(client, shop, phone):
    response = client.delete(f"/suppressions/{phone}", headers=build.auth(shop))

    assert (response.status_code, response.json["code"]) == (404, "NOT_FOUND")


def test_the_list_is_the_shops_own(client, shop, stranger):
    phone = build_contacts.a_suppression(shop)

    assert client.get("/suppressions", headers=build.auth(stranger)).json["data"]["items"] == []
    assert client.delete(f"/suppressions/{phone}", headers=build.auth(stranger)).status_code == 404
    assert suppressed_phones(shop) == {phone}
