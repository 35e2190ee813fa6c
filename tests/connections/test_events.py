"""What Shopify tells about the connection: uninstalled, other scopes, another name."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.campaigns.service.sweeping import start_due
from app.connections.errors import NotConnected
from app.connections.service import events, subscriptions, tokens
from app.core import clock
from app.core.settings import settings as current
from app.core.uow import unit_of_work
from app.integrations.shopify.events import ShopifyEvent
from app.messaging.service.sweeping import wake_waiting_runs
from app.shops.errors import ShopNotFound
from app.shops.models import Shop
from tests import build, build_messages
from tests.connections.merchants import connection_of, count, install, shop_of
from tests.sandbox.shopify.world import ShopWorld, World

ids = itertools.count(1)


def an_event(shop: Shop, topic: str, payload: dict[str, Any], *, at: datetime | None = None) -> ShopifyEvent:
    number = next(ids)
    return ShopifyEvent(number, shop.id, topic, f"delivery-{number}", at or clock.now(), payload)


def uninstall(shop: Shop, *, at: datetime | None = None) -> str:
    with unit_of_work(shop.id):
        return events.uninstalled(an_event(shop, "app/uninstalled", {"id": 1}, at=at))


def test_who_uninstalls_is_let_go_of(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)
    subscriptions.register_webhooks(shop.id)
    headers = build.auth(shop)
    assert client.get("/contacts", headers=headers).status_code == 200

    assert uninstall(shop) == "applied"

    connection = connection_of(shop)
    assert (connection.status, connection.access_token, connection.refresh_token) == (
        "uninstalled",
        None,
        None,
    )
    assert connection.uninstalled_at is not None
    assert shop_of(demo.domain).status == "uninstalled"
    assert count("webhook_subscriptions") == 0
    refused = client.get("/contacts", headers=headers)
    assert (refused.status_code, refused.json["code"]) == (401, "STORE_NOT_FOUND")
    assert client.post("/auth/refresh", headers=headers).status_code == 401
    with pytest.raises((NotConnected, ShopNotFound)):
        tokens.admin(shop.id)


def test_the_same_uninstall_twice_is_one(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)

    assert [uninstall(shop), uninstall(shop)] == ["applied", "stale"]


def test_an_old_uninstall_does_not_undo_a_reinstall(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)
    left_at = clock.now()
    install(client, demo)

    assert uninstall(shop, at=left_at) == "stale"
    assert uninstall(shop, at=left_at - timedelta(hours=4)) == "stale"

    assert connection_of(shop).status == "active"
    assert shop_of(demo.domain).status == "active"
    assert uninstall(shop) == "applied"


def test_a_shop_that_comes_back_is_the_same_shop(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)
    build_messages.people(shop, 3)
    demo.do("uninstall")
    uninstall(shop)

    again = install(client, demo)

    assert again.id == shop.id
    connection = connection_of(again)
    assert (connection.status, connection.uninstalled_at) == ("active", None)
    assert client.get("/contacts", headers=build.auth(again)).json["data"]["total"] == 3
    assert tokens.admin(shop.id).run("query ShopDetails { shop { name } }")["shop"]["name"] == "Demo Shop"


def test_a_session_token_after_the_reinstall_connects_the_shop(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)
    demo.do("uninstall")
    uninstall(shop)

    answer = client.post("/auth/shopify-token", json={"sessionToken": demo.session_token()})

    assert answer.status_code == 200, answer.json
    assert answer.json["data"]["store"]["id"] == str(shop.id)
    assert connection_of(shop).status == "active"


def test_a_shop_that_was_never_connected_can_leave(app: Flask):
    shop = build.a_shop()

    assert uninstall(shop, at=datetime(2020, 1, 1, tzinfo=UTC)) == "stale"
    assert uninstall(shop) == "applied"
    assert shop_of(shop.domain).status == "uninstalled"


def test_what_was_being_sent_stops(client: FlaskClient, demo: ShopWorld):
    shop, other = install(client, demo), build.a_shop()
    runs = []
    for one in (shop, other):
        build_messages.people(one, 2)
        build_messages.credit(one)
        runs.append(build_messages.a_run(one).run_id)

    uninstall(shop)
    wake_waiting_runs()

    assert not build_messages.run_of(shop, runs[0]).is_open
    assert build_messages.run_of(other, runs[1]).is_open
    build_messages.assert_books_balance()


def test_a_scheduled_campaign_of_a_shop_that_has_left_does_not_start(client: FlaskClient, demo: ShopWorld):
    build.a_shop(demo.domain)  # with a subscription
    shop = install(client, demo)
    build_messages.people(shop, 2)
    build_messages.credit(shop)
    body = {"name": "Later", "message": "Hello", "scheduleType": "scheduled"}
    body["scheduleAt"] = (clock.now() + timedelta(hours=1)).isoformat()
    made = client.post("/campaigns", json=body, headers=build.auth(shop))
    assert made.status_code == 201, made.json
    uninstall(shop)
    with unit_of_work(shop.id) as session:
        session.execute(sa.text("UPDATE campaigns SET schedule_at = now() - interval '1 minute'"))

    start_due()

    assert count("messages") == 0
    with unit_of_work(shop.id) as session:
        row = session.execute(sa.text("SELECT status, last_enqueue_error FROM campaigns")).one()
    assert row.status == "draft"
    assert row.last_enqueue_error.startswith("STORE_NOT_FOUND")


def test_an_uninstall_by_refresh_time_drops_a_refresh_under_way(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)
    turn = connection_of(shop).turn

    uninstall(shop)

    assert connection_of(shop).turn == turn + 1


# --- scopes


def change_scopes(shop: Shop, current_scopes: object, **more: object) -> str:
    payload = {"id": 1, "previous": [], "current": current_scopes, **more}
    with unit_of_work(shop.id):
        return events.scopes_updated(an_event(shop, "app/scopes_update", payload))


def test_other_scopes_are_noted_and_missing_ones_named(
    client: FlaskClient, demo: ShopWorld, caplog: pytest.LogCaptureFixture
):
    shop = install(client, demo)

    assert change_scopes(shop, ["read_customers", "read_orders"]) == "scopes_missing"
    assert connection_of(shop).scopes == ["read_customers", "read_orders"]
    assert "write_discounts" in caplog.text
    assert change_scopes(shop, list(current().scopes)) == "applied"


def test_who_may_write_may_read(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)
    least = ["write_customers", "read_orders", "write_discounts", "read_fulfillments", "read_locales"]

    assert change_scopes(shop, least) == "applied"


def test_an_older_change_of_scopes_changes_nothing(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)
    change_scopes(shop, list(current().scopes))

    assert change_scopes(shop, [], updated_at="2020-01-01T00:00:00Z") == "stale"
    assert connection_of(shop).scopes == list(current().scopes)


@pytest.mark.parametrize("nonsense", [None, "read_orders", 5, [1, None, "a\x00", "\ud800"]])
def test_nonsense_counts_as_no_scopes(client: FlaskClient, demo: ShopWorld, nonsense: object):
    assert change_scopes(install(client, demo), nonsense) == "scopes_missing"


# --- the shop itself


def tell(shop: Shop, **payload: object) -> str:
    with unit_of_work(shop.id):
        return events.shop_updated(an_event(shop, "shop/update", payload))


def test_a_shop_that_moves_is_followed(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)
    facts = {"name": "Νέο", "currency": "EUR", "iana_timezone": "Europe/Athens", "country_code": "GR"}

    assert tell(shop, **facts, updated_at=clock.now().isoformat()) == "applied"

    told = shop_of(demo.domain)
    assert (told.name, told.currency, told.timezone, told.country) == ("Νέο", "EUR", "Europe/Athens", "GR")


def test_news_of_the_shop_in_any_order_end_the_same(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)

    assert tell(shop, name="Second", updated_at="2026-11-24T10:00:02+02:00") == "applied"
    assert tell(shop, name="First", updated_at="2026-11-24T10:00:01+02:00") == "stale"
    assert tell(shop, name="Second", updated_at="2026-11-24T10:00:02+02:00") == "applied"

    assert shop_of(demo.domain).name == "Second"


@pytest.mark.parametrize(
    "facts",
    [
        {"name": ""},
        {"name": "x\x00"},
        {"name": "\ud800"},
        {"name": "x" * 201},
        {"name": None},
        {"currency": "GBP"},
        {"iana_timezone": "Nowhere"},
        {"iana_timezone": "../etc/passwd"},
        {"country_code": "Greece"},
        {"country_code": 5},
    ],
)
def test_what_nobody_can_use_is_ignored(client: FlaskClient, demo: ShopWorld, facts: dict[str, object]):
    shop = install(client, demo)
    before = shop_of(demo.domain)

    tell(shop, **facts, updated_at=clock.now().isoformat())

    after = shop_of(demo.domain)
    assert (after.name, after.currency, after.timezone, after.country) == (
        before.name,
        before.currency,
        before.timezone,
        before.country,
    )


def test_a_shop_without_a_connection_learns_nothing(app: Flask):
    shop = build.a_shop()

    assert tell(shop, name="X", updated_at=clock.now().isoformat()) == "stale"


def test_another_shops_event_touches_nobody_else(client: FlaskClient, demo: ShopWorld, world: World):
    mine, theirs = install(client, demo), install(client, world.shop("other.myshopify.com"))

    uninstall(theirs)

    assert connection_of(mine).status == "active"
    assert shop_of(demo.domain).status == "active"
