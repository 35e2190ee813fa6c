"""A purchase begins: its price, its page at Stripe, and what a repetition finds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core import clock
from app.core.settings import settings
from app.purchases.errors import PurchaseTooOld
from app.purchases.service import buying
from app.purchases.service.buying import Asked
from app.shops.models import Shop
from tests import build
from tests.purchases.buying import hear, purchases_of, top_up
from tests.stripe_world import FRONTEND, StripeWorld

KEY = {"Idempotency-Key": "billing-purchase-1"}


def buy(client: FlaskClient, shop: Shop, package: str = "package_1000", **headers: str) -> TestResponse:
    return client.post("/billing/purchase", json={"packageId": package}, headers=build.auth(shop) | headers)


def test_a_top_up_opens_a_page_at_stripe_for_the_gross_price(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()

    data = top_up(client, shop)

    session = stripe_world.object("checkout.session", data["sessionId"])
    assert (session["amount_total"], session["currency"]) == (
        round(data["priceBreakdown"]["price"] * 100),
        "eur",
    )
    assert data["checkoutUrl"] == data["sessionUrl"] == session["url"]
    assert session["metadata"]["shopId"] == str(shop.id)
    assert (session["metadata"]["type"], session["metadata"]["credits"]) == ("credit_topup", "1000")
    assert (data["credits"], data["priceEur"]) == (1000, 45.0)


def test_the_page_leads_back_to_the_client_that_asked(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    embedded = {"Origin": settings().embedded_origin or ""}

    ours = top_up(client, shop)
    answer = client.post("/billing/topup", json={"credits": 100}, headers=build.auth(shop) | embedded)

    back = stripe_world.object("checkout.session", ours["sessionId"])
    assert back["success_url"] == (
        f"{FRONTEND}/app/shopify/billing/success?session_id={{CHECKOUT_SESSION_ID}}&type=credit_topup"
    )
    assert back["cancel_url"] == f"{FRONTEND}/app/shopify/billing/cancel"
    back = stripe_world.object("checkout.session", answer.json["data"]["sessionId"])
    assert back["success_url"].startswith("https://embedded.example.com/shopify/app/billing/success?")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/app",
        "/app/shopify/billing/success",
        f"{FRONTEND}.evil.example.com/",
        "https://app.example.com@evil.example.com/",
        f"{FRONTEND}\\@evil.example.com",
        "javascript:alert(1)",
        "//evil.example.com",
        "https://[broken",
    ],
)
def test_the_page_leads_nowhere_else(stripe_world: StripeWorld, client: FlaskClient, url: str):
    shop = build.a_shop()

    answer = client.post("/billing/topup", json={"credits": 100, "successUrl": url}, headers=build.auth(shop))

    assert (answer.status_code, answer.json["code"]) == (400, "INVALID_URL")
    assert purchases_of(shop) == []


@pytest.mark.parametrize("written", ["{CHECKOUT_SESSION_ID}", "%7BCHECKOUT_SESSION_ID%7D"])
def test_the_place_of_the_sessions_id_survives(stripe_world: StripeWorld, client: FlaskClient, written: str):
    url = f"{FRONTEND}/app/shopify/billing/success?session_id={written}&type=credit_topup"

    data = top_up(client, build.a_shop(), successUrl=url, cancelUrl=f"{FRONTEND}/back")

    session = stripe_world.object("checkout.session", data["sessionId"])
    assert "session_id={CHECKOUT_SESSION_ID}&" in session["success_url"]


def test_without_stripe_nothing_is_begun(client: FlaskClient):
    shop = build.a_shop()

    answer = client.post("/billing/topup", json={"credits": 100}, headers=build.auth(shop))

    assert (answer.status_code, answer.json["code"]) == (503, "STRIPE_NOT_CONFIGURED")
    assert purchases_of(shop) == []


def test_a_package_is_for_subscribers(stripe_world: StripeWorld, client: FlaskClient):
    answer = buy(client, build.a_shop(plan=None))

    assert (answer.status_code, answer.json["code"]) == (402, "SUBSCRIPTION_REQUIRED")


def test_a_package_that_is_not_for_sale_is_not_found(stripe_world: StripeWorld, client: FlaskClient):
    answer = buy(client, build.a_shop(), "package_7")

    assert (answer.status_code, answer.json["code"]) == (404, "NOT_FOUND")


def test_a_package_can_be_bought_without_a_key(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()

    first, second = buy(client, shop), buy(client, shop)

    assert first.status_code == 201, first.text
    data = first.json["data"]
    assert data["package"] == {
        "id": "package_1000", "name": "1,000 SMS Credits", "credits": 1000, "price": 29.99, "currency": "EUR",
    }  # fmt: skip
    assert (data["status"], data["idempotent"]) == ("pending", False)
    assert data["sessionId"] != second.json["data"]["sessionId"]


def test_the_same_key_gives_the_same_page_read_again(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    first = buy(client, shop, **KEY).json["data"]

    again = buy(client, shop, **KEY).json["data"]

    assert (again["purchaseId"], again["sessionId"]) == (first["purchaseId"], first["sessionId"])
    assert (again["idempotent"], again["sessionUrl"]) == (True, first["sessionUrl"])
    stripe_world.expire(first["sessionId"])
    assert buy(client, shop, **KEY).json["data"]["sessionUrl"] is None


def test_the_same_key_for_another_package_is_refused(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    buy(client, shop, **KEY)

    answer = buy(client, shop, "package_5000", **KEY)

    assert (answer.status_code, answer.json["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_another_shop_may_use_the_same_key(stripe_world: StripeWorld, client: FlaskClient):
    one, other = (buy(client, build.a_shop(), **KEY).json["data"] for _ in range(2))

    assert one["sessionId"] != other["sessionId"]


def test_twenty_requests_with_one_key_open_one_page(stripe_world: StripeWorld, app: Flask):
    shop = build.a_shop()

    def ask(_: int) -> str:
        with app.app_context():
            return str(buy(app.test_client(), shop, **KEY).json["data"]["sessionId"])

    with ThreadPoolExecutor(20) as pool:
        sessions = set(pool.map(ask, range(20)))

    assert len(sessions) == len(stripe_world.objects("checkout.session")) == len(purchases_of(shop)) == 1


def test_a_lost_answer_is_asked_for_again_under_the_same_key(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    for _ in range(3):  # the client itself tries three times
        stripe_world.fault("drop_after_accept", on="POST /v1/checkout/sessions")

    lost = buy(client, shop, **KEY)
    stripe_world.heal()
    again = buy(client, shop, **KEY)

    assert (lost.status_code, lost.json["code"]) == (502, "STRIPE_ERROR")
    assert again.json["data"]["idempotent"] is True
    assert [made["id"] for made in stripe_world.objects("checkout.session")] == [
        again.json["data"]["sessionId"]
    ]


def test_what_never_got_a_session_expires(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    for _ in range(3):
        stripe_world.fault("http_500", on="POST /v1/checkout/sessions")
    buy(client, shop, **KEY)
    top_up(client, shop)

    with clock.moved(timedelta(hours=26)):
        assert (buying.expire_abandoned(), buying.expire_abandoned()) == (1, 0)
        with pytest.raises(PurchaseTooOld):
            buying.buy_package(shop.id, "package_1000", Asked(FRONTEND, FRONTEND, key=KEY["Idempotency-Key"]))

    assert [one.status for one in purchases_of(shop)] == ["expired", "pending"]


def test_a_page_that_expires_closes_the_purchase(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    stripe_world.expire(top_up(client, shop)["sessionId"])

    assert hear(stripe_world) == ["expired"]
    assert [one.status for one in purchases_of(shop)] == ["expired"]


@pytest.mark.parametrize("credits", [0, -1, 1_000_001, "many", None])
def test_a_top_up_is_of_one_to_a_million_credits(client: FlaskClient, credits: object):
    headers = build.auth(build.a_shop())

    asked = client.get("/billing/topup/calculate", query_string={"credits": credits}, headers=headers)
    bought = client.post("/billing/topup", json={"credits": credits}, headers=headers)

    assert (asked.status_code, bought.status_code) == (400, 400)


def test_too_little_for_a_card_is_said_before_stripe_says_it(stripe_world: StripeWorld, client: FlaskClient):
    answer = client.post("/billing/topup", json={"credits": 1}, headers=build.auth(build.a_shop()))

    assert (answer.status_code, answer.json["code"]) == (400, "AMOUNT_TOO_SMALL")
    assert stripe_world.objects("checkout.session") == []
