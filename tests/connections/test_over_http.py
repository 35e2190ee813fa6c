"""The whole life of a connection between two running servers, with a real browser's cookies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from sqlalchemy import text
from werkzeug.serving import make_server

from app.config import Settings
from app.connections import jobs
from app.core.uow import across_shops
from app.webhooks import jobs as webhooks
from tests.connections.merchants import connection_of, shop_of
from tests.sandbox.shopify.world import ShopWorld, World


@pytest.fixture
def api(app: Flask, world: World) -> Iterator[str]:
    """The app on a port, which Shopify knows and posts to."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = True
    url = f"http://127.0.0.1:{server.server_port}"
    before: Settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, public_base_url=url, frontend_url=url)
    world.register(app_url=url)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield url
    server.shutdown()
    thread.join()
    server.server_close()
    world.register(app_url="")
    app.config["SETTINGS"] = before


def sign_in(browser: requests.Session, api: str, shop: str) -> dict[str, str]:
    """Go through Shopify like a browser; the query of the client's page where it ends."""
    ended = browser.get(f"{api}/auth/shopify", params={"shop": shop}, timeout=20)
    parts = urlsplit(ended.url)
    assert parts.path == "/shopify/auth/callback", ended.text
    return {name: values[0] for name, values in parse_qs(parts.query).items()}


def status_of(api: str, token: str) -> int:
    answer = requests.get(f"{api}/auth/verify", headers={"Authorization": f"Bearer {token}"}, timeout=20)
    return answer.status_code


def work_off() -> None:
    """Let the worker do what waits in the inbox."""
    with across_shops("a test looks") as session:
        shops = session.scalars(text("SELECT id FROM shops")).all()
    for shop_id in shops:
        webhooks.apply_shopify(shop_id)


def test_a_shop_installs_is_renamed_leaves_and_comes_back(api: str, world: World, demo: ShopWorld):
    browser = requests.Session()
    token = sign_in(browser, api, demo.domain)["token"]
    assert status_of(api, token) == 200
    shop = shop_of(demo.domain)
    jobs.register_webhooks(shop.id)

    demo.do("update-shop", name="Another Name")
    world.settle()
    work_off()
    assert shop_of(demo.domain).name == "Another Name"

    demo.do("uninstall")
    world.settle()
    work_off()
    assert connection_of(shop).status == "uninstalled"
    assert status_of(api, token) == 401

    again = sign_in(browser, api, demo.domain)["token"]
    assert status_of(api, again) == 200
    assert shop_of(demo.domain).id == shop.id
    assert connection_of(shop).status == "active"


def test_an_uninstall_that_is_delivered_after_the_reinstall_changes_nothing(
    api: str, world: World, demo: ShopWorld
):
    browser = requests.Session()
    sign_in(browser, api, demo.domain)
    shop = shop_of(demo.domain)
    jobs.register_webhooks(shop.id)
    demo.do("uninstall")
    world.settle()  # it waits in the inbox

    token = sign_in(browser, api, demo.domain)["token"]
    work_off()

    assert status_of(api, token) == 200
    assert connection_of(shop).status == "active"


def test_a_replaced_client_secret_locks_nobody_out(app: Flask, api: str, world: World, demo: ShopWorld):
    old = world.api_secret
    world.rotate_secret("a-new-secret-of-at-least-32-bytes")
    app.config["SETTINGS"] = replace(
        app.config["SETTINGS"], shopify_api_secret=f"a-new-secret-of-at-least-32-bytes,{old}"
    )
    try:
        assert "token" in sign_in(requests.Session(), api, demo.domain)
        answer = requests.post(
            f"{api}/auth/shopify-token", json={"sessionToken": demo.session_token()}, timeout=20
        )
        assert answer.status_code == 200
    finally:
        world.register(api_secret=old)
