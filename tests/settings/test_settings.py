"""The settings page of both clients."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.billing import service as billing
from app.shops.models import Shop
from tests import build
from tests.settings.conftest import Change


def saved(client: FlaskClient, shop: Shop) -> dict[str, Any]:
    answer = client.get("/settings", headers=build.auth(shop))
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json["data"]
    return data


def assert_refused(answer: TestResponse, field: str) -> None:
    assert answer.status_code == 400, answer.text
    assert answer.json["code"] == answer.json["error"] == "VALIDATION_ERROR"
    assert [detail["field"] for detail in answer.json["details"]] == [field]


def test_a_new_shop_sees_its_defaults(client: FlaskClient, shop: Shop):
    billing.grant_credits(shop.id, 250, key="gift", reason="test")

    data = saved(client, shop)

    assert data.pop("createdAt").endswith("Z")
    assert data.pop("updatedAt").endswith("Z")
    guide = data.pop("usageGuide")
    assert guide["title"]
    assert all(section["title"] and section["content"] for section in guide["sections"])
    assert data == {
        "shopId": str(shop.id),
        "shopDomain": shop.domain,
        "shopName": shop.domain.partition(".")[0],
        "credits": 250,
        "senderId": "",
        "senderNumber": None,
        "senderName": None,
        "timezone": "Europe/Athens",
        "currency": "EUR",
        "baseUrl": None,
        "eshopType": None,
        "doubleOptIn": False,
        "recentTransactions": [],
    }


def test_saving_answers_with_all_settings_and_keeps_what_was_not_named(
    client: FlaskClient, shop: Shop, change: Change
):
    change(timezone="America/New_York", eshopType="fashion")

    answer = change(currency="USD", unheardOf=1)

    assert answer.status_code == 200
    data = answer.json["data"]
    assert (data["timezone"], data["eshopType"], data["currency"]) == ("America/New_York", "fashion", "USD")
    assert data == saved(client, shop)


def test_saving_nothing_changes_nothing(client: FlaskClient, shop: Shop, change: Change):
    before = saved(client, shop)

    assert change().json["data"] == before


def test_the_currency_of_the_shop_is_the_one_of_its_balance(client: FlaskClient, shop: Shop, change: Change):
    change(currency="USD")

    assert client.get("/billing/balance", headers=build.auth(shop)).json["data"]["currency"] == "USD"


def test_another_shops_settings_stay_as_they_are(
    client: FlaskClient, shop: Shop, stranger: Shop, change: Change
):
    before = saved(client, stranger)

    change(senderId="Kalamata", timezone="UTC", baseUrl="https://a.example", doubleOptIn=True)

    assert saved(client, stranger) == before


@pytest.mark.parametrize(
    ("typed", "number", "name"),
    [
        ("+306900000001", "+306900000001", None),
        ("+447911123456", "+447911123456", None),
        ("Kalamata", None, "Kalamata"),
        (" 7eleven ", None, "7eleven"),
        ("ABC", None, "ABC"),
        ("Abcdefghijk", None, "Abcdefghijk"),
    ],
)
def test_a_sender_is_a_number_or_a_name(change: Change, typed: str, number: str | None, name: str | None):
    data = change(senderId=typed).json["data"]

    assert (data["senderNumber"], data["senderName"]) == (number, name)
    assert data["senderId"] == (number or name)


@pytest.mark.parametrize("nothing", ["", None, "  "])
def test_an_empty_sender_clears_number_and_name(change: Change, nothing: str | None):
    change(senderNumber="+306900000001", senderName="Kalamata")

    data = change(senderId=nothing).json["data"]

    assert (data["senderId"], data["senderNumber"], data["senderName"]) == ("", None, None)


@pytest.mark.parametrize(
    "typed",
    ["ab", "abcdefghijkl", "12345", "00306900000001", "+0306900000001", "+3069 0000", "my shop", "Ελιές",
     "a-b-c", "+30690000000١", "+306900000001\nX", "🫒🫒🫒", 5, ["abc"], {"a": 1}, True],
)  # fmt: skip
def test_what_no_phone_would_show_as_a_sender_is_refused(
    client: FlaskClient, shop: Shop, change: Change, typed: Any
):
    change(senderId="Kalamata")

    answer = change(senderId=typed)

    assert_refused(answer, "senderId")
    assert saved(client, shop)["senderName"] == "Kalamata"


def test_number_and_name_can_be_set_each_and_the_number_is_what_people_see(change: Change):
    data = change(senderNumber="+306900000001", senderName="Kalamata").json["data"]

    assert data["senderId"] == "+306900000001"
    assert (data["senderNumber"], data["senderName"]) == ("+306900000001", "Kalamata")
    assert change(senderNumber="").json["data"]["senderId"] == "Kalamata"
    assert_refused(change(senderNumber="Kalamata"), "senderNumber")
    assert_refused(change(senderName="+306900000001"), "senderName")


def test_the_sender_page_takes_a_number_or_a_name(client: FlaskClient, shop: Shop):
    def put(sender: Any) -> TestResponse:
        return client.put("/settings/sender", json={"senderNumber": sender}, headers=build.auth(shop))

    number = put("+306900000001").json["data"]
    name = put("Kalamata").json["data"]

    assert number.pop("updatedAt") < name.pop("updatedAt")
    assert number == {"senderNumber": "+306900000001", "senderId": "+306900000001"}
    assert name == {"senderNumber": None, "senderId": "Kalamata"}
    for nothing in ("", "  ", None, "x", 1):
        assert_refused(put(nothing), "senderNumber")
    assert_refused(client.put("/settings/sender", json={}, headers=build.auth(shop)), "senderNumber")


@pytest.mark.parametrize(
    "zone", ["", "Athens", "europe/athens", "GMT+25", "../../etc/passwd", "UTC\n", None, 2]
)
def test_a_time_zone_that_does_not_exist_is_refused(change: Change, zone: Any):
    assert_refused(change(timezone=zone), "timezone")


@pytest.mark.parametrize("currency", ["GBP", "", None, 1, ["EUR"]])
def test_a_currency_that_cannot_be_paid_in_is_refused(change: Change, currency: Any):
    assert_refused(change(currency=currency), "currency")


@pytest.mark.parametrize("kind", ["", None])
def test_the_kind_of_shop_can_be_taken_back(change: Change, kind: str | None):
    change(eshopType="toys")

    assert change(eshopType=kind).json["data"]["eshopType"] is None
    assert_refused(change(eshopType="weapons"), "eshopType")


def test_several_mistakes_are_all_named(change: Change):
    answer = change(senderId="!", timezone="Mars/Olympus", currency="XXX", baseUrl="ftp://x", eshopType="y")

    fields = {detail["field"] for detail in answer.json["details"]}
    assert fields == {"senderId", "timezone", "currency", "baseUrl", "eshopType"}


def test_one_wrong_field_keeps_the_right_ones_from_being_saved(
    client: FlaskClient, shop: Shop, change: Change
):
    before = saved(client, shop)

    assert_refused(change(timezone="UTC", currency="XXX"), "currency")

    assert saved(client, shop) == before
