"""Access tokens: fresh when needed, refreshed once, and never lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.connections import queries
from app.connections.encryption import seal, unseal
from app.connections.errors import NotConnected
from app.connections.service import tokens
from app.core import clock
from app.core.uow import NestedUnitOfWork, unit_of_work
from app.integrations.shopify import tokens as token_endpoint
from app.integrations.shopify.errors import ShopifyUnauthorized, ShopifyUnavailable
from app.shops.errors import ShopNotFound
from app.shops.models import Shop, ShopStatus
from tests import build
from tests.connections.merchants import connection_of, install, set_connection, set_status
from tests.sandbox.shopify.world import ShopWorld, World

DETAILS = "query ShopDetails { shop { name } }"


def name(shop: Shop) -> str:
    return str(tokens.admin(shop.id).run(DETAILS)["shop"]["name"])


def refreshes(world: World) -> int:
    return len(world.requests(kind="token", operation="refresh_token"))


def grow_old(shop: Shop, **left: int) -> None:
    """Let the access token be good for so long yet, by our own clock."""
    set_connection(shop, access_expires_at=clock.now() + timedelta(**left))


def test_a_fresh_token_is_used_as_it_is(client: FlaskClient, demo: ShopWorld, world: World):
    shop = install(client, demo)

    assert [name(shop) for _ in range(3)] == ["Demo Shop"] * 3
    assert refreshes(world) == 0


def test_a_token_is_refreshed_before_its_last_five_minutes(
    client: FlaskClient, demo: ShopWorld, world: World
):
    shop = install(client, demo)
    before = connection_of(shop)
    grow_old(shop, seconds=299)

    assert name(shop) == "Demo Shop"

    after = connection_of(shop)
    assert refreshes(world) == 1
    assert after.access_token != before.access_token
    assert after.refresh_token != before.refresh_token
    assert after.access_expires_at is not None
    assert after.access_expires_at > clock.now() + timedelta(minutes=55)
    assert after.leased_until is None
    assert name(shop) == "Demo Shop"
    assert refreshes(world) == 1


def test_a_day_later_the_token_is_refreshed(client: FlaskClient, demo: ShopWorld, world: World):
    shop = install(client, demo)

    world.move_clock(86_400)
    with clock.moved(timedelta(days=1)):
        assert name(shop) == "Demo Shop"

    assert refreshes(world) == 1


def test_twenty_callers_at_once_refresh_once(app: Flask, client: FlaskClient, demo: ShopWorld, world: World):
    shop = install(client, demo)
    grow_old(shop, seconds=-1)
    demo.do("expire-tokens")

    answers = at_once(app, 20, lambda: name(shop))

    assert answers == ["Demo Shop"] * 20
    assert refreshes(world) == 1


def test_while_one_refreshes_the_others_use_a_token_that_is_still_good(
    client: FlaskClient, demo: ShopWorld, world: World
):
    shop = install(client, demo)
    grow_old(shop, seconds=200)
    set_connection(shop, leased_until=clock.now() + timedelta(seconds=30))

    assert name(shop) == "Demo Shop"
    assert refreshes(world) == 0


def test_a_refresh_whose_process_died_before_storing_is_asked_again(
    client: FlaskClient, demo: ShopWorld, world: World
):
    shop = install(client, demo)
    sealed = connection_of(shop).refresh_token
    assert sealed is not None
    lost = token_endpoint.refresh(demo.domain, unseal(shop.id, sealed), at=clock.now())
    grow_old(shop, seconds=-1)
    set_connection(shop, leased_until=clock.now() - timedelta(seconds=1), turn=7)

    assert name(shop) == "Demo Shop"

    kept = connection_of(shop).refresh_token
    assert kept is not None
    assert unseal(shop.id, kept) == lost.refresh_token
    grow_old(shop, seconds=-1)
    assert name(shop) == "Demo Shop"


def test_a_lost_answer_does_not_lose_the_connection(client: FlaskClient, demo: ShopWorld, world: World):
    shop = install(client, demo)
    grow_old(shop, seconds=-1)
    world.fault("token_drop")

    with pytest.raises(ShopifyUnavailable):
        tokens.admin(shop.id)

    assert connection_of(shop).status == "active"
    assert name(shop) == "Demo Shop"


def test_while_shopify_is_away_a_token_that_is_still_good_is_used(
    client: FlaskClient, demo: ShopWorld, world: World
):
    shop = install(client, demo)
    grow_old(shop, seconds=100)
    world.fault("token_500", count=5)

    assert name(shop) == "Demo Shop"
    assert connection_of(shop).leased_until is None


def test_whoever_was_overtaken_stores_nothing(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)
    before = connection_of(shop)
    values = {
        "shop_id": shop.id,
        "turn": before.turn - 1,
        "access_token": seal(shop.id, "late"),
        "access_expires_at": None,
        "refresh_token": None,
        "refresh_expires_at": None,
    }

    with unit_of_work(shop.id):
        assert queries.first_row(queries.STORE_REFRESHED, values) is None
        late = {"shop_id": shop.id, "turn": before.turn - 1, "is_over": True}
        assert queries.first_row(queries.RELEASE_REFRESH, late) is None

    after = connection_of(shop)
    assert (after.access_token, after.status) == (before.access_token, "active")


def test_a_refresh_token_that_shopify_refuses_asks_for_a_new_sign_in(
    client: FlaskClient, demo: ShopWorld, caplog: pytest.LogCaptureFixture
):
    shop = install(client, demo)
    set_connection(shop, refresh_token=seal(shop.id, "shprt_unknown"))
    grow_old(shop, seconds=-1)

    for _ in range(2):
        with pytest.raises(NotConnected):
            tokens.admin(shop.id)

    assert connection_of(shop).status == "needs_reauth"
    assert caplog.text.count("shopify_needs_reauth") == 1
    assert client.get("/contacts", headers=build.auth(shop)).status_code == 200
    assert install(client, demo).id == shop.id
    assert name(shop) == "Demo Shop"


def test_a_wrong_secret_of_ours_is_not_held_against_the_shop(
    app: Flask, client: FlaskClient, demo: ShopWorld, world: World
):
    shop = install(client, demo)
    grow_old(shop, seconds=-1)
    right = world.api_secret
    world.register(api_secret="another-secret-of-more-than-32-bytes")
    try:
        with pytest.raises(ShopifyUnavailable):
            tokens.admin(shop.id)
    finally:
        world.register(api_secret=right)

    assert connection_of(shop).status == "active"
    assert name(shop) == "Demo Shop"


def test_a_token_that_dies_early_is_replaced_in_mid_call(client: FlaskClient, demo: ShopWorld, world: World):
    shop = install(client, demo)
    admin = tokens.admin(shop.id)
    world.fault("http_401", on="ShopDetails")

    assert admin.run(DETAILS)["shop"]["name"] == "Demo Shop"
    assert refreshes(world) == 1


def test_a_replacement_that_dies_as_well_is_not_replaced_for_ever(
    client: FlaskClient, demo: ShopWorld, world: World
):
    shop = install(client, demo)
    world.fault("http_401", on="ShopDetails", count=5)

    with pytest.raises(ShopifyUnauthorized):
        name(shop)
    assert refreshes(world) == 1


def test_two_clients_with_the_same_dead_token_get_one_new_one(
    client: FlaskClient, demo: ShopWorld, world: World
):
    shop = install(client, demo)
    first, second = tokens.admin(shop.id), tokens.admin(shop.id)
    world.fault("http_401", on="ShopDetails", count=1)
    first.run(DETAILS)
    world.fault("http_401", on="ShopDetails", count=1)
    second.run(DETAILS)

    assert refreshes(world) == 1


def test_a_dead_token_that_cannot_be_refreshed_asks_for_a_new_sign_in(
    client: FlaskClient, demo: ShopWorld, world: World
):
    shop = install(client, demo)
    set_connection(shop, refresh_token=None, access_expires_at=None)
    world.fault("http_401", on="ShopDetails")

    with pytest.raises(NotConnected):
        name(shop)
    assert connection_of(shop).status == "needs_reauth"


def test_after_an_uninstall_shopify_lets_nobody_in(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)
    demo.do("uninstall")

    with pytest.raises((NotConnected, ShopifyUnauthorized)):
        name(shop)


def test_a_shop_without_a_connection_has_no_admin(app: Flask):
    with pytest.raises(NotConnected):
        tokens.admin(build.a_shop().id)


def test_a_shop_that_has_left_has_no_admin(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)
    set_status(shop, ShopStatus.UNINSTALLED)

    with pytest.raises(ShopNotFound):
        tokens.admin(shop.id)


def test_shopify_is_never_asked_inside_a_transaction(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)

    with pytest.raises(NestedUnitOfWork), unit_of_work(shop.id):
        tokens.admin(shop.id)


def at_once(app: Flask, count: int, work: Callable[[], Any]) -> list[Any]:
    """What each of so many threads that begin together got, be it an exception."""
    together = threading.Barrier(count)
    got: list[Any] = []

    def run() -> None:
        with app.app_context():
            together.wait(20)
            try:
                got.append(work())
            except BaseException as failure:
                got.append(failure)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return got
