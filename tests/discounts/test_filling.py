"""A pool's codes become Shopify's, over HTTP, whatever dies or fails in between."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from app.core import clock
from app.discounts.service import filling
from app.shops.models import Shop
from tests import build
from tests.build_messages import execute
from tests.connections.merchants import install
from tests.sandbox.shopify.world import ShopWorld, World

MINUTES = timedelta(minutes=11)


@pytest.fixture
def shop(client: FlaskClient, demo: ShopWorld) -> Shop:
    return install(client, demo)


def make_pool(client: FlaskClient, shop: Shop, count: int) -> None:
    body = {"title": "Ten off", "percentage": 10, "count": count, "prefix": "sms"}
    answer = client.post("/discount-pools", json=body, headers=build.auth(shop))
    assert answer.status_code == 201, answer.json


def counts(client: FlaskClient, shop: Shop) -> tuple[int, int, int]:
    (pool,) = client.get("/discount-pools", headers=build.auth(shop)).json["data"]["pools"]
    return pool["codes"], pool["liveCodes"], pool["freeCodes"]


def at_shopify(demo: ShopWorld, shop: Shop) -> int:
    """How many of the shop's live codes Shopify really has."""
    codes = execute(shop, "SELECT code FROM discount_codes WHERE live_at IS NOT NULL ORDER BY id LIMIT 20")
    path = f"/sandbox/shopify/shops/{demo.domain}/codes"
    return sum(demo.world.call("GET", f"{path}/{row.code}").ok for row in codes)


def test_all_codes_are_told_at_most_250_a_call(
    client: FlaskClient, demo: ShopWorld, shop: Shop, world: World
):
    make_pool(client, shop, 600)
    assert counts(client, shop) == (600, 0, 0)

    assert filling.shops_with_unfinished_pools() == [shop.id]
    assert filling.fill(shop.id) is False

    assert counts(client, shop) == (600, 600, 600)
    assert at_shopify(demo, shop) == 20
    assert len(world.requests(operation="CreateDiscount")) == 1
    assert len(world.requests(operation="AddDiscountCodes")) == 3
    assert filling.shops_with_unfinished_pools() == []


def test_a_discount_whose_making_was_not_answered_is_found_again(
    client: FlaskClient, demo: ShopWorld, shop: Shop, world: World
):
    make_pool(client, shop, 10)
    world.fault("drop_after_accept", count=1, on="CreateDiscount")
    filling.fill(shop.id)
    assert counts(client, shop) == (10, 0, 0)

    with clock.moved(MINUTES):
        filling.fill(shop.id)

    assert counts(client, shop) == (10, 10, 10)
    assert len(execute(shop, "SELECT 1 FROM discount_pools WHERE discount_id IS NOT NULL")) == 1


def test_codes_whose_adding_was_not_answered_are_there_already(
    client: FlaskClient, demo: ShopWorld, shop: Shop, world: World
):
    make_pool(client, shop, 10)
    world.fault("drop_after_accept", count=1, on="AddDiscountCodes")
    filling.fill(shop.id)
    assert counts(client, shop) == (10, 1, 1)

    with clock.moved(MINUTES):
        filling.fill(shop.id)

    assert counts(client, shop) == (10, 10, 10)
    assert at_shopify(demo, shop) == 10


def test_a_refusal_is_shown_and_tried_later(client: FlaskClient, demo: ShopWorld, shop: Shop, world: World):
    make_pool(client, shop, 5)
    world.fault("user_errors", count=1, on="CreateDiscount", code="INVALID", message="No.")

    filling.fill(shop.id)

    assert execute(shop, "SELECT last_error FROM discount_pools") == [("INVALID",)]
    assert filling.shops_with_unfinished_pools() == [], "not at once again"
    with clock.moved(MINUTES):
        assert filling.shops_with_unfinished_pools() == [shop.id]
        filling.fill(shop.id)
    assert counts(client, shop) == (5, 5, 5)


def test_a_shop_without_shopify_waits(client: FlaskClient):
    shop = build.a_shop()
    make_pool(client, shop, 5)

    filling.fill(shop.id)

    assert execute(shop, "SELECT last_error FROM discount_pools") == [("NotConnected",)]
