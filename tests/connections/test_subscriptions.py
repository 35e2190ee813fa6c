"""Webhook subscriptions: made, looked after, moved, and where they point to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.connections import jobs, queries
from app.connections.service import subscriptions
from app.connections.topics import wanted
from app.core import clock
from app.core.queue import JsonQueue
from app.core.redis import redis_client
from app.core.settings import settings as current
from app.core.uow import unit_of_work
from app.shops.models import ShopStatus
from tests import build
from tests.connections.conftest import PUBLIC
from tests.connections.merchants import connection_of, count, install, set_connection, set_status, shop_of
from tests.sandbox.shopify.world import ShopWorld, World


def at_shopify(demo: ShopWorld) -> dict[str, list[str]]:
    """The addresses by topic, as Shopify has them."""
    found: dict[str, list[str]] = {}
    for one in demo.shown()["subscriptions"]:
        topic = str(one["topic"]).replace("/", "_").upper()
        found.setdefault(topic, []).append(one["uri"])
    return found


def as_wanted(base: str = PUBLIC) -> dict[str, list[str]]:
    return {topic: [uri] for topic, uri in wanted(base).items()}


def rung_shops() -> list[int]:
    jobs_waiting = JsonQueue("events", connection=redis_client()).get_jobs()
    return [job.args[0] for job in jobs_waiting if job.func_name.endswith("register_webhooks")]


def test_every_topic_is_subscribed_where_the_contract_says(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)

    jobs.register_webhooks(shop.id)

    assert at_shopify(demo) == as_wanted()
    assert at_shopify(demo)["APP_UNINSTALLED"] == [f"{PUBLIC}/webhooks/app_uninstalled"]
    assert at_shopify(demo)["ORDERS_CREATE"] == [f"{PUBLIC}/automation-webhooks/shopify/orders/create"]
    assert at_shopify(demo)["CUSTOMERS_MARKETING_CONSENT_UPDATE"] == [f"{PUBLIC}/webhooks/shopify"]
    assert count("webhook_subscriptions") == len(wanted(PUBLIC))
    assert connection_of(shop).check_at > clock.now() + timedelta(hours=23)


def test_every_subscribed_address_is_served_here(app: Flask, client: FlaskClient):
    adapter = app.url_map.bind("localhost")

    for uri in wanted("").values():
        assert adapter.test(uri, method="POST"), uri


def test_asking_again_changes_nothing(client: FlaskClient, demo: ShopWorld, world: World):
    shop = install(client, demo)
    jobs.register_webhooks(shop.id)

    jobs.register_webhooks(shop.id)

    assert at_shopify(demo) == as_wanted()
    assert len(world.requests(operation="CreateWebhookSubscription")) == len(wanted(PUBLIC))


def test_what_shopify_has_dropped_is_made_anew(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)
    jobs.register_webhooks(shop.id)
    token = demo.offline_token()
    lost = demo.shown()["subscriptions"][0]
    gid = f"gid://shopify/WebhookSubscription/{str(lost['id']).rpartition('/')[2]}"
    demo.graphql(
        "mutation DeleteWebhookSubscription($id: ID!) { webhookSubscriptionDelete(id: $id)"
        " { deletedWebhookSubscriptionId userErrors { field message } } }",
        {"id": gid},
        token=token,
    )
    assert at_shopify(demo) != as_wanted()

    jobs.register_webhooks(shop.id)

    assert at_shopify(demo) == as_wanted()


def test_a_moved_api_takes_its_subscriptions_along(app: Flask, client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)
    jobs.register_webhooks(shop.id)

    app.config["SETTINGS"] = replace(current(), public_base_url="http://127.0.0.1:19")
    jobs.register_webhooks(shop.id)

    assert at_shopify(demo) == as_wanted("http://127.0.0.1:19")
    with unit_of_work(shop.id):
        uris = {one.uri for one in queries.subscriptions_of(shop.id)}
    assert all(uri.startswith("http://127.0.0.1:19/") for uri in uris)


def test_no_request_header_and_no_setting_of_the_shop_changes_the_addresses(
    app: Flask, client: FlaskClient, demo: ShopWorld
):
    shop = install(client, demo)
    client.put("/settings", json={"baseUrl": "https://evil.example"}, headers=build.auth(shop))
    hostile = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}

    with app.test_request_context("/", headers=hostile):
        subscriptions.register_webhooks(shop.id)

    assert at_shopify(demo) == as_wanted()


def test_a_topic_that_is_refused_does_not_hold_up_the_others(
    client: FlaskClient, demo: ShopWorld, world: World, caplog: pytest.LogCaptureFixture
):
    shop = install(client, demo)
    world.fault("user_errors", on="CreateWebhookSubscription", count=1)

    jobs.register_webhooks(shop.id)

    assert len(at_shopify(demo)) == len(wanted(PUBLIC)) - 1
    assert "webhooks_refused" in caplog.text
    jobs.register_webhooks(shop.id)
    assert at_shopify(demo) == as_wanted()


@pytest.mark.parametrize("fault", ["http_500", "http_402", "drop_after_accept"])
def test_trouble_is_logged_and_tried_again_by_the_check(
    client: FlaskClient, demo: ShopWorld, world: World, caplog: pytest.LogCaptureFixture, fault: str
):
    shop = install(client, demo)
    world.fault(fault, on="CreateWebhookSubscription", count=1)

    jobs.register_webhooks(shop.id)

    if fault != "http_402":  # a refusal, as of one topic
        assert "webhooks_not_registered" in caplog.text
        assert connection_of(shop).check_at <= clock.now()
    jobs.register_webhooks(shop.id)
    assert at_shopify(demo) == as_wanted()


def test_a_lost_bell_is_rung_by_the_check_and_then_daily(client: FlaskClient, demo: ShopWorld, world: World):
    shop = install(client, demo)
    redis_client().flushdb()

    jobs.check()
    assert rung_shops() == [shop.id]
    subscriptions.register_webhooks(shop.id)
    redis_client().flushdb()

    subscriptions.ring_for_due_checks()
    assert rung_shops() == []
    with clock.moved(timedelta(hours=24, seconds=1)):
        subscriptions.ring_for_due_checks()
        assert rung_shops() == [shop.id]
        redis_client().flushdb()
        subscriptions.ring_for_due_checks()  # nobody has answered: not before an hour has passed
        assert rung_shops() == []


def test_a_check_takes_a_few_shops_at_a_time_and_none_twice(client: FlaskClient, demo: ShopWorld):
    first = install(client, demo)
    connection = connection_of(first)
    for _ in range(subscriptions.BATCH + 4):
        other = build.a_shop()
        with unit_of_work(other.id) as session:
            session.add(
                type(connection)(
                    shop_id=other.id,
                    status="active",
                    access_token=b"x",
                    scopes=[],
                    scopes_at=clock.now(),
                    api_version="2026-10",
                    installed_at=clock.now(),
                    check_at=clock.now(),
                )
            )
    redis_client().flushdb()

    subscriptions.ring_for_due_checks()
    assert len(rung_shops()) == subscriptions.BATCH
    subscriptions.ring_for_due_checks()

    assert len(rung_shops()) == len(set(rung_shops())) == subscriptions.BATCH + 5


def test_a_shop_that_must_sign_in_or_has_left_is_left_alone(
    client: FlaskClient, demo: ShopWorld, world: World
):
    shop = install(client, demo)
    set_connection(shop, status="needs_reauth")
    redis_client().flushdb()

    subscriptions.ring_for_due_checks()
    subscriptions.register_webhooks(shop.id)
    set_connection(shop, status="active")
    set_status(shop, ShopStatus.UNINSTALLED)
    subscriptions.register_webhooks(shop.id)
    subscriptions.register_webhooks(build.a_shop().id)

    assert rung_shops() == []
    assert at_shopify(demo) == {}


def test_sign_ins_given_up_are_forgotten(client: FlaskClient, demo: ShopWorld):
    client.get("/auth/shopify?shop=demo")
    subscriptions.ring_for_due_checks()
    assert count("oauth_states") == 1

    with clock.moved(timedelta(minutes=10)):
        subscriptions.ring_for_due_checks()

    assert count("oauth_states") == 0


# --- what Shopify says about the shop


def test_a_new_shop_gets_its_name_zone_currency_and_country(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)

    subscriptions.register_webhooks(shop.id)

    told = shop_of(demo.domain)
    facts = (told.name, told.currency, told.timezone, told.country)
    assert facts == ("Demo Shop", "USD", "Europe/Paris", "FR")


def test_what_we_cannot_use_is_left_as_it_is(client: FlaskClient, world: World):
    odd = world.shop("odd.myshopify.com", currency="GBP", timezone="Mars/Base", country="GR")
    shop = install(client, odd)

    subscriptions.register_webhooks(shop.id)

    told = shop_of(odd.domain)
    assert (told.currency, told.timezone, told.country) == ("EUR", "Europe/Athens", "GR")


def test_what_the_merchant_has_chosen_here_stays_until_shopify_says_something_new(
    client: FlaskClient, demo: ShopWorld
):
    shop = install(client, demo)
    subscriptions.register_webhooks(shop.id)
    client.put("/settings", json={"timezone": "Europe/Rome"}, headers=build.auth(shop))

    subscriptions.register_webhooks(shop.id)

    assert shop_of(demo.domain).timezone == "Europe/Rome"
