"""The packages of credits: for everybody to see, for subscribers to buy."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests import build

PRICES = {
    "package_1000": (1_000, 29.99),
    "package_5000": (5_000, 129.99),
    "package_10000": (10_000, 229.99),
    "package_25000": (25_000, 499.99),
}


def prices_of(packages: list[dict[str, Any]]) -> dict[str, tuple[int, float]]:
    return {one["id"]: (one["credits"], one["price"]) for one in packages}


def test_a_subscriber_is_offered_four_packages(app: Flask, client: FlaskClient):
    answer = client.get("/billing/packages", headers=build.auth(build.a_shop()))

    data = answer.json["data"]
    assert (data["currency"], data["subscriptionRequired"]) == ("EUR", False)
    assert prices_of(data["packages"]) == PRICES
    first = data["packages"][0]
    assert first.pop("createdAt") == first.pop("updatedAt")
    assert first == {
        "id": "package_1000",
        "name": "1,000 SMS Credits",
        "displayName": "1,000 SMS Credits",
        "units": 1000,
        "credits": 1000,
        "priceCents": 2999,
        "amount": 29.99,
        "price": 29.99,
        "currency": "EUR",
        "priceId": None,
        "stripePriceId": None,
        "available": True,
        "type": "credit_topup",
        "description": None,
        "features": [],
        "popular": False,
        "originalPrice": None,
    }


def test_numbers_are_numbers(app: Flask, client: FlaskClient):
    answer = client.get("/billing/packages", headers=build.auth(build.a_shop()))

    for package in answer.json["data"]["packages"]:
        for name in ("price", "amount", "priceCents", "credits", "units"):
            assert type(package[name]) in (int, float), name


def test_without_a_subscription_the_shop_is_told_to_get_one(app: Flask, client: FlaskClient):
    answer = client.get("/billing/packages", headers=build.auth(build.a_shop(plan=None)))

    assert answer.status_code == 200
    assert answer.json["data"] == {"packages": [], "currency": "EUR", "subscriptionRequired": True}


def test_the_older_client_reads_the_same_at_the_top(app: Flask, client: FlaskClient):
    body = client.get("/billing/packages", headers=build.auth(build.a_shop())).json

    assert body["packages"] == body["data"]["packages"]
    assert body["currency"] == "EUR"
    assert body["subscriptionRequired"] is False


def test_prices_are_in_the_currency_of_the_shop_unless_another_is_asked_for(app: Flask, client: FlaskClient):
    american, greek = build.a_shop(), build.a_shop()
    client.put("/settings", json={"currency": "USD"}, headers=build.auth(american))

    def currency(shop: Any, query: str = "") -> str:
        data = client.get(f"/billing/packages{query}", headers=build.auth(shop)).json["data"]
        assert {one["currency"] for one in data["packages"]} == {data["currency"]}
        return str(data["currency"])

    assert currency(american) == "USD"
    assert currency(greek) == "EUR"
    assert currency(american, "?currency=EUR") == "EUR"
    assert currency(greek, "?currency=USD") == "USD"
    assert currency(greek, "?currency=") == "EUR"


def test_everybody_may_look(app: Flask, client: FlaskClient):
    euros = client.get("/public/packages")
    dollars = client.get("/public/packages?currency=USD")

    assert euros.status_code == 200
    assert euros.json["data"]["currency"] == "EUR"
    assert "subscriptionRequired" not in euros.json["data"]
    assert prices_of(euros.json["data"]["packages"]) == PRICES
    assert dollars.json["data"]["currency"] == "USD"
    assert prices_of(dollars.json["data"]["packages"]) == PRICES


@pytest.mark.parametrize("currency", ["GBP", "eur", "1", "EUR,USD", "%00", "x" * 3000, "%ff"])
@pytest.mark.parametrize("path", ["/billing/packages", "/public/packages"])
def test_a_currency_that_cannot_be_paid_in_is_named(
    app: Flask, client: FlaskClient, path: str, currency: str
):
    answer = client.get(f"{path}?currency={currency}", headers=build.auth(build.a_shop()))

    assert answer.status_code == 400
    assert answer.json["details"][0]["field"].partition("[")[0] == "currency"


@pytest.mark.parametrize("path", ["/billing/packages", "/public/packages?currency=USD"])
def test_a_client_that_has_the_packages_gets_304(app: Flask, client: FlaskClient, path: str):
    headers = build.auth(build.a_shop())
    first = client.get(path, headers=headers)

    again = client.get(path, headers={**headers, "If-None-Match": first.headers["ETag"]})
    other = client.get(path, headers={**headers, "If-None-Match": 'W/"another"'})

    assert (again.status_code, again.data) == (304, b"")
    assert (other.status_code, other.json["data"]) == (200, first.json["data"])
    assert "X-Cache" not in first.headers
