"""Comparing a shop with Shopify: what was never delivered is found, what was delivered is not told twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.connections.service import installing
from app.core import clock
from app.core.queue import bell_key
from app.core.redis import redis_client
from app.shops.models import Shop
from app.webhooks import jobs
from tests import build
from tests.links.rows import rows, value
from tests.sandbox.shopify.world import ShopWorld, World, shopify_world
from tests.webhooks.posts import inbox


@pytest.fixture
def shop(app: Flask) -> Shop:
    return build.a_shop()


@pytest.fixture
def world(app: Flask) -> Iterator[World]:
    """A pretend Shopify, which the app talks to."""
    before = app.config["SETTINGS"]
    with shopify_world(api_key=before.shopify_api_key, api_secret=before.shopify_api_secret) as running:
        running.switch(restore_rate=100_000, bucket_points=100_000)
        app.config["SETTINGS"] = replace(before, shopify_admin_base=running.admin_base)
        yield running
    app.config["SETTINGS"] = before


@pytest.fixture
def admin(shop: Shop, world: World) -> ShopWorld:
    """The shop's side at Shopify, with the app installed; none of its deliveries arrives."""
    opened = world.shop(shop.domain, customers=3)
    installing.sign_in(shop.domain, opened.session_token())
    return opened


def compare(shop: Shop) -> None:
    jobs.compare_shop(shop.id)
    jobs.apply_shopify(shop.id)


def test_what_was_never_delivered_is_found_and_applied_once(
    client: FlaskClient, shop: Shop, admin: ShopWorld
) -> None:
    customer = admin.customers()[0]
    admin.do("order", customer_id=customer["id"])

    compare(shop)
    found = inbox()
    compare(shop)

    topics = [event["topic"] for event in found]
    assert "customers/update" in topics and "orders/updated" in topics
    assert all(event["external_id"].startswith("reconcile:") for event in found)
    assert all(event["outcome"] for event in inbox())
    assert len(inbox()) == len(found)
    assert value("SELECT count(*) FROM orders") == 1
    assert {row["kind"] for row in rows("SELECT * FROM reconciliations WHERE started_at IS NULL")} == {
        "customers",
        "orders",
    }


def test_a_shop_is_compared_once_a_day(client: FlaskClient, shop: Shop, admin: ShopWorld) -> None:
    key = bell_key("webhooks.compare_shop", shop.id)
    jobs.compare()
    assert redis_client().exists(key)
    compare(shop)
    redis_client().flushdb()

    with clock.moved(timedelta(minutes=11)):
        jobs.compare()
    assert not redis_client().exists(key)
    with clock.moved(timedelta(hours=21)):
        jobs.compare()
    assert redis_client().exists(key)


def test_a_shop_without_a_connection_is_passed_over(client: FlaskClient, shop: Shop) -> None:
    compare(shop)

    assert inbox() == []
