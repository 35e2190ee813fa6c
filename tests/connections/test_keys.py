"""Tokens at rest, changing their key, and what operators see."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient

from app.connections.encryption import UnreadableToken, seal, unseal
from app.connections.errors import NotConnected
from app.connections.service import keys, tokens
from app.core.settings import settings as current
from tests import build
from tests.connections.merchants import connection_of, install, set_connection
from tests.sandbox.shopify.world import ShopWorld, World

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def use_keys(app: Flask, *live: str) -> None:
    app.config["SETTINGS"] = replace(current(), token_encryption_keys=live)


def test_a_token_comes_back_as_it_was(world: World):
    assert unseal(7, seal(7, "shpat_1:2")) == "shpat_1:2"
    assert seal(7, "shpat_1") != seal(7, "shpat_1")


def test_a_token_that_was_copied_to_another_shop_opens_nothing(world: World):
    with pytest.raises(UnreadableToken):
        unseal(8, seal(7, "shpat_1"))


@pytest.mark.parametrize("broken", [b"", b"x", b"gAAAAA", bytes(range(256))])
def test_what_we_did_not_seal_opens_nothing(world: World, broken: bytes):
    with pytest.raises(UnreadableToken):
        unseal(7, broken)


def test_the_key_is_changed_without_a_sign_in(app: Flask, client: FlaskClient, demo: ShopWorld, world: World):
    use_keys(app, OLD)
    shops = [install(client, demo), install(client, world.shop("other.myshopify.com"))]
    use_keys(app, NEW, OLD)

    assert [keys.rotate_keys() for _ in range(2)] == [(2, 0), (2, 0)]

    use_keys(app, NEW)
    for shop in shops:
        tokens.admin(shop.id).run("query ShopDetails { shop { name } }")


def test_a_key_that_is_missing_is_found_out_and_breaks_nothing(
    app: Flask, client: FlaskClient, demo: ShopWorld, caplog: pytest.LogCaptureFixture
):
    use_keys(app, OLD)
    shop = install(client, demo)
    use_keys(app, NEW)

    with pytest.raises(NotConnected):
        tokens.admin(shop.id)
    assert keys.rotate_keys() == (0, 1)

    assert "shopify_token_unreadable" in caplog.text
    assert connection_of(shop).status == "active"
    use_keys(app, NEW, OLD)
    assert tokens.admin(shop.id).domain == demo.domain


def test_a_shop_that_has_left_has_nothing_to_encrypt(app: Flask, client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)
    set_connection(shop, status="uninstalled", access_token=None, refresh_token=None)

    assert keys.rotate_keys() == (0, 0)


# --- flask connections …


def test_operators_see_everything_but_tokens(app: Flask, client: FlaskClient, demo: ShopWorld, world: World):
    shop = install(client, demo)
    install(client, world.shop("other.myshopify.com"))
    set_connection(shop, status="needs_reauth", scopes=["read_orders"])
    runner = app.test_cli_runner()

    everything = runner.invoke(args=["connections", "list"])
    waiting = runner.invoke(args=["connections", "list", "--status", "needs_reauth"])
    one = runner.invoke(args=["connections", "show", "demo"])

    assert len(everything.output.splitlines()) == 2
    assert [line.split("\t")[:2] for line in waiting.output.splitlines()] == [[demo.domain, "needs_reauth"]]
    assert "missing scopes: read_customers write_customers" in one.output
    for shown in (everything, waiting, one):
        assert shown.exit_code == 0
        assert "gAAAA" not in shown.output
        assert "shp" not in shown.output.replace("myshopify", "")


def test_operators_are_told_what_they_ask_in_vain(app: Flask, world: World):
    runner = app.test_cli_runner()

    assert runner.invoke(args=["connections", "show", "evil.example"]).exit_code == 1
    assert "never been connected" in runner.invoke(args=["connections", "show", build.a_shop().domain]).output


def test_operators_change_the_key(app: Flask, client: FlaskClient, demo: ShopWorld):
    use_keys(app, OLD)
    install(client, demo)
    use_keys(app, NEW, OLD)
    runner = app.test_cli_runner()

    good = runner.invoke(args=["connections", "rotate-keys"])
    use_keys(app, OLD)
    bad = runner.invoke(args=["connections", "rotate-keys"])

    assert (good.exit_code, good.output) == (0, "1 connections have the newest key\n")
    assert bad.exit_code == 1
    assert "1 connections can be read with no key" in bad.output
