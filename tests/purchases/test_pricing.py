"""What a top-up costs: integer cents, VAT of who pays, added by exactly one party."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.shops.models import Shop
from tests import build, build_messages
from tests.purchases.buying import balance, differences, hear, pay, purchase
from tests.stripe_world import StripeWorld


def billed_in(shop: Shop, country: str) -> None:
    build_messages.execute(
        shop,
        "INSERT INTO billing_profiles (shop_id, billing_address)"
        " VALUES (:shop_id, jsonb_build_object('country', CAST(:country AS text)))",
        shop_id=shop.id,
        country=country,
    )


def test_a_greek_shop_pays_greek_vat(client: FlaskClient):
    shop = build.a_shop()
    billed_in(shop, "GR")

    answer = client.get("/billing/topup/calculate?credits=1000", headers=build.auth(shop))

    assert answer.json["data"] == {
        "credits": 1000, "currency": "EUR", "basePrice": 45.0, "taxRate": 0.24, "taxAmount": 10.8,
        "totalPrice": 55.8, "price": 55.8, "taxTreatment": "domestic_vat", "taxJurisdiction": "GR",
        "priceEur": 45.0, "vatAmount": 10.8, "priceEurWithVat": 55.8,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("credits", "net", "tax"),
    [(1, 0.05, 0.01), (11, 0.5, 0.12), (33, 1.49, 0.36), (1_000_000, 45_000.0, 10_800.0)],
)
def test_cents_are_rounded_half_up(client: FlaskClient, credits: int, net: float, tax: float):
    shop = build.a_shop()
    billed_in(shop, "GR")

    price = client.get(f"/billing/topup/calculate?credits={credits}", headers=build.auth(shop)).json["data"]

    assert (price["basePrice"], price["taxAmount"]) == (net, tax)


def test_while_nobody_knows_the_country_the_rate_is_null(client: FlaskClient):
    price = client.get("/billing/topup/calculate?credits=100", headers=build.auth(build.a_shop())).json[
        "data"
    ]

    assert (price["taxRate"], price["taxAmount"], price["taxTreatment"]) == (None, 0, "unknown")


def test_dollars_cost_the_euros_number_unless_they_have_their_own(app: Flask, client: FlaskClient):
    headers = build.auth(build.a_shop())
    before = app.config["SETTINGS"]

    same = client.get("/billing/topup/calculate?credits=1000&currency=USD", headers=headers).json["data"]
    app.config["SETTINGS"] = replace(before, credit_price_usd=before.credit_price_eur * 2)
    try:
        own = client.get("/billing/topup/calculate?credits=1000&currency=USD", headers=headers).json["data"]
    finally:
        app.config["SETTINGS"] = before

    assert (same["currency"], same["basePrice"], own["basePrice"]) == ("USD", 45.0, 90.0)


@pytest.mark.parametrize("by_stripe", [False, True])
def test_exactly_one_party_adds_vat(stripe_world: StripeWorld, app: Flask, by_stripe: bool):
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], stripe_tax=by_stripe)
    shop = build.a_shop()
    billed_in(shop, "GR")

    bought = pay(stripe_world, app.test_client(), shop)
    hear(stripe_world)

    session = stripe_world.object("checkout.session", bought.session)
    assert session["automatic_tax"]["enabled"] is by_stripe
    assert session["amount_subtotal"] == (4_500 if by_stripe else 5_580)
    row = purchase(bought)
    assert (row.status, row.net_cents, row.gross_cents) == ("paid", 4_500, session["amount_total"])
    assert balance(shop).wallet == 1_000
    assert differences() == {}
