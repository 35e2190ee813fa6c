"""Discounts of a shop that has no Shopify connection: none, and every page that asks keeps working."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.discounts.schemas import DiscountSchema
from app.discounts.service.describing import Discount, DiscountKind
from tests import build

GID = "gid://shopify/DiscountCodeNode/1"
BOTH = pytest.mark.parametrize("path", ["/shopify/discounts", "/discounts"])
HOSTILE = ["%00", "..", "%ff", "x" * 3000, "%F0%9F%98%80", "'%20OR%201=1", "%2e%2e%2f", "validate", "a//b/"]


@BOTH
def test_a_shop_without_shopify_has_no_discounts(app: Flask, client: FlaskClient, path: str):
    answer = client.get(path, headers=build.auth(build.a_shop()))

    assert answer.status_code == 200, "the campaign form needs the list"
    assert answer.json["data"] == {"discounts": [], "total": 0, "active": 0}


@BOTH
@pytest.mark.parametrize("spelt", [GID, quote(GID, safe=""), "1"])
def test_a_discount_that_is_not_there_is_not_found(app: Flask, client: FlaskClient, path: str, spelt: str):
    answer = client.get(f"{path}/{spelt}", headers=build.auth(build.a_shop()))

    assert answer.status_code == 404
    assert answer.json["code"] == answer.json["error"] == "NOT_FOUND"


def test_validating_an_unknown_discount_says_why_it_cannot_be_used(app: Flask, client: FlaskClient):
    headers = build.auth(build.a_shop())

    by_id = client.post("/shopify/discounts/validate", json={"discountId": GID}, headers=headers)
    by_code = client.get("/discounts/validate/SAVE10", headers=headers)

    assert by_id.status_code == by_code.status_code == 200
    assert by_id.json["data"] == by_code.json["data"]
    answer = dict(by_id.json["data"])
    assert answer.pop("reason")
    assert answer == {"discount": None, "isValid": False, "canUse": False}


@pytest.mark.parametrize("value", ["", None, 1, [GID], {"a": 1}, "x" * 256, "a\x00"])
def test_an_id_that_cannot_be_one_is_named(app: Flask, client: FlaskClient, value: Any):
    answer = client.post(
        "/shopify/discounts/validate", json={"discountId": value}, headers=build.auth(build.a_shop())
    )

    assert answer.status_code == 400
    assert answer.json["details"][0]["field"] == "discountId"


def test_an_id_must_be_given(app: Flask, client: FlaskClient):
    answer = client.post("/shopify/discounts/validate", headers=build.auth(build.a_shop()))

    assert answer.status_code == 400
    assert answer.json["details"][0]["field"] == "discountId"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_paths_are_refused_politely(app: Flask, client: FlaskClient, text: str):
    headers = build.auth(build.a_shop())

    for path in ("/shopify/discounts", "/discounts", "/discounts/validate"):
        answer = client.get(f"{path}/{text}", headers=headers)
        assert answer.status_code in (200, 404), path
        assert answer.json["success"] is (answer.status_code == 200)


def test_strangers_see_nothing(client: FlaskClient):
    for path in ("/shopify/discounts", f"/shopify/discounts/{GID}", "/discounts", "/discounts/validate/A"):
        assert client.get(path).status_code == 401


def a_discount(**columns: Any) -> Discount:
    return Discount(
        **{
            "id": GID,
            "code": "SAVE10",
            "title": "Ten off",
            "kind": DiscountKind.PERCENTAGE,
            "status": "ACTIVE",
            "value_label": "10% off",
            "validity_label": "Valid until 01/31/2026",
            **columns,
        }
    )


def test_a_discount_speaks_to_both_clients():
    ends = datetime(2026, 1, 31, tzinfo=UTC)

    assert DiscountSchema().dump(a_discount(percent=10, ends_at=ends)) == {
        "id": GID,
        "code": "SAVE10",
        "title": "Ten off",
        "type": "percentage",
        "discountType": "percentage",
        "valueLabel": "10% off",
        "validityLabel": "Valid until 01/31/2026",
        "value": {"percentage": 10},
        "status": "ACTIVE",
        "isActive": True,
        "isExpired": False,
        "startsAt": None,
        "endsAt": "2026-01-31T00:00:00.000Z",
        "usageLimit": None,
    }


def test_an_amount_is_in_major_units_and_has_two_names():
    dumped = DiscountSchema().dump(a_discount(kind=DiscountKind.AMOUNT, amount_cents=550, currency="EUR"))

    assert dumped["value"] == {"amount": {"amount": 5.5, "currencyCode": "EUR"}}
    assert (dumped["type"], dumped["discountType"]) == ("fixed_amount", "amount")
