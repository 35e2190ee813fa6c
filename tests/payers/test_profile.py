"""The billing profile as W reads and writes it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.core.uow import unit_of_work
from tests import build
from tests.payers.build import ADDRESS, profile_of, put, shown

DEFAULTS: dict[str, Any] = {
    "legalName": None,
    "vatNumber": None,
    "vatCountry": None,
    "billingEmail": None,
    "billingAddress": None,
    "currency": "EUR",
    "taxStatus": None,
    "taxExempt": False,
    "isBusiness": False,
    "vatValidated": None,
    "validatedAt": None,
    "validationSource": None,
    "taxTreatment": None,
}


def test_a_shop_that_said_nothing_has_defaults(client: FlaskClient):
    shop = build.a_shop()

    assert shown(client, shop) == {"shopId": str(shop.id), **DEFAULTS}


def test_empty_texts_are_null_and_what_is_absent_stays(client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, legalName="Ελληνικά Υφάσματα Α.Ε.", billingEmail="bills@example.com", vatNumber="")

    saved = put(client, shop, billingEmail="", vatCountry="", billingAddress=ADDRESS)

    assert saved == shown(client, shop)
    assert saved["legalName"] == "Ελληνικά Υφάσματα Α.Ε."
    assert (saved["billingEmail"], saved["vatNumber"], saved["taxStatus"]) == (None, None, None)
    assert saved["billingAddress"] == {**ADDRESS, "line2": None, "state": None}


def test_the_country_of_the_address_stands_in_for_the_vat_country(client: FlaskClient):
    shop = build.a_shop()

    assert put(client, shop, billingAddress=ADDRESS, vatCountry="")["vatCountry"] == "DE"
    assert put(client, shop, vatCountry="el")["vatCountry"] == "GR"
    assert put(client, shop, vatCountry="")["vatCountry"] == "DE"


def test_an_address_of_nothing_is_none(client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, billingAddress=ADDRESS)

    assert put(client, shop, billingAddress=dict.fromkeys(ADDRESS, ""))["billingAddress"] is None


def test_a_new_vat_number_waits_for_the_register(client: FlaskClient):
    shop = build.a_shop()

    saved = put(client, shop, vatNumber=" de 123 456 789 ", vatCountry="DE")

    assert (saved["vatNumber"], saved["taxStatus"], saved["vatValidated"]) == ("DE123456789", "pending", None)
    assert saved["taxTreatment"] == "eu_b2c"


def test_the_same_number_again_asks_nobody(client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, vatNumber="DE123456789")
    before = profile_of(shop)

    put(client, shop, vatNumber="DE 123456789", legalName="")

    assert (profile_of(shop).version, profile_of(shop).vat_check_at) == (before.version, before.vat_check_at)


def test_taking_the_number_away_takes_its_status_along(client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, vatNumber="DE123456789")

    assert put(client, shop, vatNumber="")["taxStatus"] is None


@pytest.mark.parametrize(
    "country", [{"vatCountry": "GR"}, {"vatCountry": "el"}, {"billingAddress": {"country": "GR"}}]
)
def test_a_greek_business_needs_its_number(client: FlaskClient, country: dict[str, Any]):
    shop = build.a_shop()

    answer = client.put(
        "/billing/profile", json={"isBusiness": True, "vatNumber": "", **country}, headers=build.auth(shop)
    )

    assert (answer.status_code, answer.json["code"]) == (400, "VALIDATION_ERROR")
    assert answer.json["details"][0]["field"] == "vatNumber"
    assert shown(client, shop)["isBusiness"] is False
    assert put(client, shop, isBusiness=True, vatNumber="EL123456789", **country)["isBusiness"] is True


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("legalName", "x" * 256),
        ("vatNumber", "1" * 33),
        ("vatCountry", "DEU"),
        ("vatCountry", "1"),
        ("billingEmail", "nobody"),
        ("billingAddress", "Berlin"),
        ("billingAddress", {"country": "Germany"}),
        ("currency", "GBP"),
        ("isBusiness", "perhaps"),
        ("legalName", 5),
    ],
)
def test_what_cannot_be_is_refused_by_name(client: FlaskClient, field: str, value: Any):
    answer = client.put("/billing/profile", json={field: value}, headers=build.auth(build.a_shop()))

    assert (answer.status_code, answer.json["code"]) == (400, "VALIDATION_ERROR")
    assert answer.json["details"][0]["field"].startswith(field)


def test_unknown_keys_and_the_treatment_are_ignored(client: FlaskClient):
    saved = put(client, build.a_shop(), taxTreatment="eu_reverse_charge", taxStatus="verified", what="?")

    assert (saved["taxTreatment"], saved["taxStatus"]) == (None, None)


def test_the_currency_is_the_shops(client: FlaskClient):
    shop = build.a_shop()

    assert put(client, shop, currency="USD")["currency"] == "USD"
    assert put(client, shop, currency="")["currency"] == "USD"
    balance = client.get("/billing/balance", headers=build.auth(shop)).json["data"]
    assert balance["currency"] == "USD"


def test_a_change_is_in_the_record_without_what_was_typed(client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, legalName="Εύα Παπά", billingEmail="eva@example.com")
    put(client, shop, legalName="Εύα Παπά")

    with unit_of_work(shop.id) as session:
        rows = session.execute(
            sa.text("SELECT details FROM activity WHERE action = 'billing_profile.changed'")
        ).all()

    assert [row.details for row in rows] == [{"changed": ["billing_email", "legal_name"]}]


def test_a_shop_sees_its_own_profile_only(client: FlaskClient):
    mine, other = build.a_shop(), build.a_shop()
    put(client, mine, legalName="Mine")

    assert shown(client, other)["legalName"] is None


def test_nobody_is_asked_without_a_credential(client: FlaskClient):
    assert client.get("/billing/profile").status_code == 401
    assert client.put("/billing/profile", json={}).status_code == 401
    assert client.post("/billing/profile/sync-from-stripe").status_code == 401
