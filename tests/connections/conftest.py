"""The app beside a pretend Shopify that runs on a real port."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from app.config import Settings
from tests.sandbox.shopify.world import ShopWorld, World, shopify_world

PUBLIC = "http://127.0.0.1:9"  # what Shopify posts there is lost: a test hands over the events itself
FRONTEND = "https://app.example.com"


@pytest.fixture(scope="session")
def running(settings: Settings) -> Iterator[World]:
    with shopify_world(api_key=settings.shopify_api_key, api_secret=settings.shopify_api_secret) as world:
        yield world


@pytest.fixture
def world(running: World, app: Flask, settings: Settings) -> Iterator[World]:
    """A Shopify without shops, and the app that talks to it."""
    running.reset()
    app.config["SETTINGS"] = replace(
        settings,
        shopify_admin_base=running.admin_base,
        public_base_url=PUBLIC,
        frontend_url=FRONTEND,
    )
    yield running
    app.config["SETTINGS"] = settings


@pytest.fixture
def demo(world: World) -> ShopWorld:
    return world.shop(
        "demo.myshopify.com", name="Demo Shop", currency="USD", timezone="Europe/Paris", country="FR"
    )
