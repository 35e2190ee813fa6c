"""Codes that one person alone is given: each once, in the transaction that freezes the text."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.clock import now
from app.core.database import db
from tests import build, build_orders
from tests.build_campaigns import Merchant, a_merchant
from tests.build_contacts import contacts
from tests.build_messages import assert_books_balance, credit, execute, run_of
from tests.build_pools import a_pool, given, said

MESSAGE = "Hi {{firstName}}, your own code: {{discountCode}}"


@pytest.fixture
def merchant(client: FlaskClient) -> Merchant:
    merchant = a_merchant(client)
    credit(merchant.shop)
    return merchant


def a_campaign(merchant: Merchant, pool_id: int, **body: Any) -> str:
    return merchant.a_campaign(**{"message": MESSAGE, "discountPoolId": str(pool_id), **body})


def test_everybody_gets_a_code_of_his_own(merchant: Merchant):
    contacts(merchant.shop, 5)
    pool_id = a_pool(merchant.shop, 7)
    campaign = a_campaign(merchant, pool_id)

    merchant.data("POST", f"/campaigns/{campaign}/enqueue")

    codes = said(merchant.shop)
    assert len(set(codes.values())) == len(codes) == 5
    assert given(merchant.shop) == codes
    ((run_id,),) = execute(merchant.shop, "SELECT run_id FROM campaigns")
    assert "{{discount.code}}" in run_of(merchant.shop, run_id).text
    assert_books_balance()


def test_the_preview_prices_a_code_of_the_same_length_and_gives_none_away(merchant: Merchant):
    contacts(merchant.shop, 3)
    pool_id = a_pool(merchant.shop, 3)
    campaign = a_campaign(merchant, pool_id, message="x" * 95 + " {{discountCode}}")

    preview = merchant.data("GET", f"/campaigns/{campaign}/preview")
    assert preview["canSend"] is True
    assert "SMSXXXXXXXX" in preview["renderedMessage"]
    assert given(merchant.shop) == {}
    merchant.data("POST", f"/campaigns/{campaign}/enqueue")

    assert merchant.balance().held == preview["estimatedCost"]


def test_too_few_codes_are_shown_in_the_preview_and_refused(merchant: Merchant):
    contacts(merchant.shop, 5)
    pool_id = a_pool(merchant.shop, 3)
    campaign = a_campaign(merchant, pool_id)

    preview = merchant.data("GET", f"/campaigns/{campaign}/preview")
    refusal = merchant.do("enqueue", campaign)

    assert (preview["canSend"], preview["reason"]) == (False, "discount_codes_missing")
    assert preview["errors"] == ["There are not enough unused discount codes for this audience."]
    assert preview["recipientCount"] == 5
    assert (refusal.status_code, refusal.json["code"]) == (409, "DISCOUNT_CODES_MISSING")
    assert refusal.json["meta"] == {"neededCodes": 5, "freeCodes": 3, "missingCodes": 2}
    assert merchant.show(campaign)["status"] == "draft"
    assert given(merchant.shop) == {}


def test_codes_that_shopify_does_not_have_yet_are_given_to_nobody(merchant: Merchant):
    contacts(merchant.shop, 1)
    pool_id = a_pool(merchant.shop, 1)
    execute(merchant.shop, "UPDATE discount_codes SET live_at = NULL")
    campaign = a_campaign(merchant, pool_id)

    assert merchant.refused("POST", f"/campaigns/{campaign}/enqueue") == (409, "DISCOUNT_CODES_MISSING")


def test_cancelling_frees_the_codes_of_those_who_get_no_text(merchant: Merchant):
    contacts(merchant.shop, 4)
    pool_id = a_pool(merchant.shop, 4)
    campaign = a_campaign(merchant, pool_id)
    merchant.data("POST", f"/campaigns/{campaign}/enqueue")

    merchant.data("POST", f"/campaigns/{campaign}/cancel")

    assert given(merchant.shop) == {}
    assert merchant.data("GET", "/discount-pools")["pools"][0]["freeCodes"] == 4


def test_a_cancelled_campaign_that_is_sent_after_all_gives_codes_that_are_still_free(merchant: Merchant):
    contacts(merchant.shop, 3)
    pool_id = a_pool(merchant.shop, 6)
    first, second = a_campaign(merchant, pool_id), a_campaign(merchant, pool_id)
    merchant.data("POST", f"/campaigns/{first}/enqueue")
    merchant.data("POST", f"/campaigns/{first}/cancel")
    merchant.data("POST", f"/campaigns/{second}/enqueue")

    merchant.data("POST", f"/campaigns/{first}/enqueue")

    codes = said(merchant.shop)
    assert len(set(codes.values())) == len(codes) == 6
    assert given(merchant.shop) == codes
    assert_books_balance()


def test_without_codes_a_cancelled_campaign_is_not_sent_after_all(merchant: Merchant):
    contacts(merchant.shop, 3)
    pool_id = a_pool(merchant.shop, 4)
    first, second = a_campaign(merchant, pool_id), a_campaign(merchant, pool_id)
    merchant.data("POST", f"/campaigns/{first}/enqueue")
    merchant.data("POST", f"/campaigns/{first}/cancel")
    merchant.data("POST", f"/campaigns/{second}/enqueue")

    assert merchant.refused("POST", f"/campaigns/{first}/enqueue") == (409, "DISCOUNT_CODES_MISSING")
    assert merchant.show(first)["status"] == "cancelled"
    assert len(given(merchant.shop)) == 3


def test_campaigns_that_start_together_never_give_the_same_code(app: Flask, merchant: Merchant):
    contacts(merchant.shop, 20)
    pool_id = a_pool(merchant.shop, 70)
    campaigns = [a_campaign(merchant, pool_id) for _ in range(4)]
    statuses: list[int] = []

    def start(campaign: str) -> None:
        with app.app_context():
            path = f"/campaigns/{campaign}/enqueue"
            statuses.append(app.test_client().post(path, headers=merchant.headers).status_code)
            db.session.remove()

    threads = [threading.Thread(target=start, args=(campaign,)) for campaign in campaigns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    codes = said(merchant.shop)
    assert sorted(statuses) == [200, 200, 200, 409]
    assert len(set(codes.values())) == len(codes) == 60
    assert given(merchant.shop) == codes
    assert_books_balance()


def test_an_order_with_a_persons_own_code_counts_for_that_persons_text(merchant: Merchant):
    contacts(merchant.shop, 2)
    pool_id = a_pool(merchant.shop, 2)
    merchant.data("POST", f"/campaigns/{a_campaign(merchant, pool_id)}/enqueue")
    message_id, code = max(given(merchant.shop).items())
    moment = (now() + timedelta(minutes=1)).isoformat()

    build_orders.take_order(
        merchant.shop, processed_at=moment, updated_at=moment, discount_codes=[{"code": code.lower()}]
    )

    found = execute(merchant.shop, "SELECT message_id, evidence FROM order_attributions")
    assert found == [(message_id, "code")]


@pytest.mark.parametrize("pool_id", ["0", "999", "x", "9" * 30])
def test_a_pool_that_the_shop_does_not_have_is_refused(merchant: Merchant, pool_id: str):
    body = {"name": "n", "message": MESSAGE, "discountPoolId": pool_id}

    assert merchant.fault("POST", "/campaigns", body) == "discountPoolId"


def test_another_shops_pool_is_refused_and_not_shown(merchant: Merchant):
    pool_id = a_pool(build.a_shop(), 1)

    body = {"name": "n", "message": MESSAGE, "discountPoolId": str(pool_id)}

    assert merchant.fault("POST", "/campaigns", body) == "discountPoolId"
    assert merchant.data("GET", "/discount-pools")["pools"] == []
    assert merchant.refused("POST", f"/discount-pools/{pool_id}/codes", {"count": 1}) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("percentage", 0),
        ("percentage", 101),
        ("count", 0),
        ("count", 20_001),
        ("prefix", "a b"),
    ],
)
def test_a_pool_that_makes_no_sense_is_refused(merchant: Merchant, field: str, value: Any):
    body = {"title": "Ten off", "percentage": 10, "count": 5, field: value}

    assert merchant.fault("POST", "/discount-pools", body) == field


def test_an_end_in_a_far_offset_is_kept_as_the_moment_that_it_is(merchant: Merchant) -> None:
    pool = {"title": "Own codes", "percentage": 10, "count": 5, "endsAt": "2030-01-01T00:00:00-16:25"}

    made = merchant.data("POST", "/discount-pools", pool)

    assert made["endsAt"] == "2030-01-01T16:25:00.000Z"
