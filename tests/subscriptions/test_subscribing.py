"""Subscribing at Checkout, coming back from it, and the portal: what is refused, and what the page gets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests import build
from tests.build_campaigns import statements
from tests.stripe_world import FRONTEND, SEPA, StripeWorld
from tests.subscriptions.subscriber import Subscriber, a_subscriber

EMBEDDED = "https://embedded.example.com"


def test_checkout_asks_for_what_the_plan_costs_and_carries_our_ids(subscriber: Subscriber):
    answer = subscriber.call("POST", "/subscriptions/subscribe", {"planType": "pro", "currency": "USD"})

    assert answer.status_code == 201
    data = answer.json["data"]
    assert (data["planType"], data["interval"], data["currency"]) == ("pro", "year", "USD")
    assert answer.json["checkoutUrl"] == data["checkoutUrl"], "repeated at top level"
    session = subscriber.world.object("checkout.session", data["sessionId"])
    told = {"planType": "pro", "interval": "year", "currency": "USD", "type": "subscription"}
    shop = str(subscriber.shop.id)
    assert session["metadata"] == {**told, "shopId": shop, "storeId": shop}
    assert session["mode"] == "subscription"


@pytest.mark.parametrize(
    ("origin", "page"),
    [(None, f"{FRONTEND}/app/shopify/billing"), (EMBEDDED, f"{EMBEDDED}/shopify/app/billing")],
)
def test_each_client_comes_back_to_its_own_pages(subscriber: Subscriber, origin: str | None, page: str):
    headers = {"Origin": origin} if origin else {}
    data = subscriber.data("POST", "/subscriptions/subscribe", {"planType": "starter"}, **headers)

    session = subscriber.world.object("checkout.session", data["sessionId"])
    assert session["success_url"] == f"{page}/success?session_id={{CHECKOUT_SESSION_ID}}&type=subscription"
    assert session["cancel_url"] == f"{page}/cancel"


def test_a_click_that_is_repeated_opens_one_session(subscriber: Subscriber):
    first, second = (subscriber.do("subscribe", planType="starter") for _ in range(2))

    assert first["sessionId"] == second["sessionId"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"planType": "gold"}, "INVALID_PLAN_TYPE"),
        ({"planType": "starter", "interval": "year"}, "INVALID_INTERVAL_FOR_PLAN"),
        ({"planType": "starter", "interval": "week"}, "VALIDATION_ERROR"),
        ({"planType": "starter", "currency": "GBP"}, "VALIDATION_ERROR"),
        ({}, "VALIDATION_ERROR"),
    ],
)
def test_a_plan_that_does_not_exist_is_refused(subscriber: Subscriber, body: dict[str, Any], code: str):
    assert subscriber.cannot("subscribe", **body) == (400, code)


def test_a_contradiction_is_answered_with_what_is_sold(subscriber: Subscriber):
    refusal = subscriber.call("POST", "/subscriptions/subscribe", {"planType": "pro", "interval": "month"})

    suggested = refusal.json["meta"]["suggested"]
    assert suggested == {"planCode": "pro", "interval": "year", "currency": "EUR"}


@pytest.mark.parametrize(
    ("prices", "code"),
    [
        ({}, "UNSUPPORTED_PLAN_INTERVAL"),
        ({"SUB_STARTER_USD": "price_sandbox_starter_usd"}, "MISSING_PRICE_ID"),
        ({"SUB_STARTER_EUR": "price_of_nobody"}, "PRICE_NOT_FOUND"),
        ({"SUB_STARTER_EUR": "price_sandbox_package_1000_eur"}, "INVALID_PRICE_TYPE"),
        ({"SUB_STARTER_EUR": "price_sandbox_pro_eur"}, "INVALID_PRICE_TYPE"),
    ],
)
def test_a_price_that_is_set_wrong_is_told(
    subscriber: Subscriber, app: Flask, prices: dict[str, str], code: str
):
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], stripe_prices=prices)

    assert subscriber.cannot("subscribe", planType="starter") == (400, code)


def test_nobody_subscribes_twice(subscriber: Subscriber):
    subscriber.subscribe("starter")

    assert subscriber.cannot("subscribe", planType="pro") == (409, "ALREADY_SUBSCRIBED")


def test_a_payment_that_nobody_told_us_of_keeps_from_subscribing_again(subscriber: Subscriber):
    subscriber.pay_for("starter")
    subscriber.world.pull()  # lost

    assert subscriber.cannot("subscribe", planType="starter") == (409, "ALREADY_SUBSCRIBED")
    assert subscriber.status()["active"] is True


def test_two_sessions_that_were_both_paid_leave_one_subscription(subscriber: Subscriber):
    first = subscriber.do("subscribe", planType="starter")["sessionId"]
    second = subscriber.do("subscribe", planType="pro")["sessionId"]
    subscriber.world.pay(first)
    subscriber.world.pay(second)

    subscriber.hear()
    subscriber.sweep()

    assert sorted(subscriber.at_stripe().values()) == ["active", "canceled"]
    assert subscriber.status()["planType"] == "pro"


def test_without_stripe_the_pages_say_so(client: FlaskClient):
    shop = build.a_shop(plan=None)
    headers = build.auth(shop)
    for path, body in (
        ("subscribe", {"planType": "starter"}),
        ("reconcile", None),
        ("finalize", {"sessionId": "cs_test_1"}),
        ("verify-session", {"sessionId": "cs_test_1"}),
    ):
        answer = client.post(f"/subscriptions/{path}", json=body, headers=headers)
        assert answer.json["code"] in {"STRIPE_NOT_CONFIGURED", "UNSUPPORTED_PLAN_INTERVAL"}, path
    status = client.get("/subscriptions/status", headers=headers).json["data"]
    assert (status["availableOptions"], status["allowedActions"]) == ([], ["subscribe", "viewPlans"])


def test_coming_back_makes_the_subscription_at_once_and_repeats_ask_nobody(subscriber: Subscriber):
    session = subscriber.pay_for("starter")

    first = subscriber.do("finalize", sessionId=session, type="subscription")
    asked = len(subscriber.world.requests())
    again = [subscriber.do("finalize", sessionId=session) for _ in range(20)]

    assert (first["finalized"], first["alreadyActive"]) == (True, False)
    assert (first["creditsAllocated"], first["credits"]) == (True, 100)
    assert first["subscription"]["active"] is True
    assert {one["alreadyActive"] for one in again} == {True}
    assert len(subscriber.world.requests()) == asked
    verified = subscriber.do("verify-session", sessionId=session)
    assert (verified["alreadyProcessed"], verified["creditsAllocated"], verified["finalized"]) == (
        True,
        100,
        True,
    )


@pytest.mark.parametrize("session", ["{CHECKOUT_SESSION_ID}", "CHECKOUT_SESSION_ID", "pi_1", "cs_test_ü"])
def test_a_placeholder_that_was_not_replaced_is_refused(subscriber: Subscriber, session: str):
    assert subscriber.cannot("finalize", sessionId=session) == (400, "INVALID_SESSION_ID")
    assert subscriber.cannot("verify-session", sessionId=session) == (400, "INVALID_SESSION_ID")


def test_sessions_that_are_unknown_unpaid_or_of_another_kind_are_refused(subscriber: Subscriber):
    session = subscriber.do("subscribe", planType="starter")["sessionId"]
    topup = subscriber.data("POST", "/billing/topup", {"credits": 100})["sessionId"]
    subscriber.world.pay(topup)

    assert subscriber.cannot("finalize", sessionId="cs_test_nobody") == (404, "SESSION_NOT_FOUND")
    assert subscriber.cannot("finalize", sessionId=session) == (400, "PAYMENT_NOT_COMPLETE")
    assert subscriber.cannot("verify-session", sessionId=session) == (400, "PAYMENT_NOT_COMPLETE")
    assert subscriber.cannot("finalize", sessionId=topup) == (400, "INVALID_SESSION_TYPE")
    assert subscriber.cannot("finalize", sessionId=session, type="credit_topup") == (
        400,
        "INVALID_SESSION_TYPE",
    )
    assert subscriber.cannot("finalize") == (400, "VALIDATION_ERROR")
    assert subscriber.status()["active"] is False


def test_the_session_of_another_shop_is_refused(
    subscriber: Subscriber, stripe_world: StripeWorld, client: FlaskClient
):
    session = subscriber.pay_for("starter")
    thief = a_subscriber(stripe_world, client)

    assert thief.cannot("finalize", sessionId=session) == (403, "SESSION_MISMATCH")
    assert thief.cannot("verify-session", sessionId=session) == (403, "FORBIDDEN")
    assert thief.status()["active"] is False


def test_money_that_comes_days_later_subscribes_when_it_comes(subscriber: Subscriber):
    session = subscriber.do("subscribe", planType="starter")["sessionId"]
    subscriber.world.pay(session, card=SEPA)
    subscriber.hear()
    assert subscriber.status()["active"] is False

    subscriber.world.settle(session)
    subscriber.hear()

    assert subscriber.status()["active"] is True
    assert subscriber.allowances == [100]


def test_the_portal_is_for_those_who_have_a_customer(subscriber: Subscriber):
    assert subscriber.refused("GET", "/subscriptions/portal") == (400, "MISSING_CUSTOMER_ID")
    subscriber.subscribe()

    portal = subscriber.call("GET", "/subscriptions/portal").json
    assert portal["portalUrl"] == portal["url"] == portal["data"]["portalUrl"]
    subscriber.world.fault("http_500", on="POST /v1/billing_portal/sessions", count=None)
    assert subscriber.refused("GET", "/subscriptions/portal") == (502, "STRIPE_PORTAL_ERROR")
    subscriber.world.heal()


def test_a_stripe_that_is_down_is_told_and_changes_nothing(subscriber: Subscriber):
    subscriber.subscribe()
    before = subscriber.status()
    subscriber.world.fault("http_500", on="*", count=None)

    assert subscriber.cannot("reconcile") == (502, "RECONCILE_FAILED")
    assert subscriber.cannot("cancel") == (502, "STRIPE_ERROR")

    subscriber.world.heal()
    assert subscriber.status() == before


def test_the_polled_status_is_few_statements_and_no_call(subscriber: Subscriber, app: Flask):
    subscriber.subscribe()
    asked = len(subscriber.world.requests())

    with statements(app) as seen:
        subscriber.status()

    reads = [one for one in seen if one.lstrip().upper().startswith("SELECT") and "set_config" not in one]
    assert len(reads) <= 3, reads  # the shop of the token, the subscription, the balances
    assert len(subscriber.world.requests()) == asked
