from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from app.connections.service import installing
from app.shops.models import Shop
from tests import build
from tests.sandbox.shopify.world import ShopWorld, World, shopify_world


@pytest.fixture
def shop(app: Flask) -> Shop:
    return build.a_shop()


@pytest.fixture
def world(app: Flask) -> Iterator[World]:
    """A pretend Shopify, which the app talks to."""
    before = app.config["SETTINGS"]
    keys = {"api_key": before.shopify_api_key, "api_secret": before.shopify_api_secret}
    with shopify_world(**keys) as running:
        running.switch(bulk_seconds=0, restore_rate=100_000, bucket_points=100_000)
        app.config["SETTINGS"] = replace(
            before,
            shopify_admin_base=running.admin_base,
            shopify_download_hosts=(running.download_host,),
            public_base_url=running.url,
        )
        yield running
    app.config["SETTINGS"] = before


@pytest.fixture
def admin(shop: Shop, world: World) -> ShopWorld:
    """The shop's side at Shopify, with the app installed."""
    opened = world.shop(shop.domain)
    installing.sign_in(shop.domain, opened.session_token())
    return opened
