"""Installing: by Shopify's redirects, and by the session token of an embedded app."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.connections.scopes import missing
from app.core import clock
from app.core.queue import JsonQueue
from app.core.redis import redis_client
from app.core.settings import settings as current
from app.integrations.shopify.signatures import query_signature
from app.shops.models import ShopStatus
from tests import build
from tests.connections.conftest import PUBLIC
from tests.connections.merchants import (
    agree,
    begin,
    come_back,
    connection_of,
    count,
    install,
    landed,
    set_connection,
    set_status,
    shop_of,
)
from tests.sandbox.shopify.world import ShopWorld, World

TABLES = "shops", "shopify_connections"
HOSTILE_HOSTS = [
    {"Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "1.2.3.4, 5.6.7.8"},
    {"Forwarded": "host=evil.example;proto=https"},
    {"Host": "evil.example\\@sms.example.com"},
    {"X-Original-Host": "evil.example", "X-Host": "evil.example"},
]


def signed(query: str, **changes: str | None) -> str:
    """The query with some parameters changed (None: left out) and a good signature over the rest."""
    pairs = dict(parse_qsl(query)) | changes
    given = {name: value for name, value in pairs.items() if value is not None and name != "hmac"}
    signature = query_signature(
        {name: [value] for name, value in given.items()}, current().shopify_api_secret
    )
    return urlencode(given | {"hmac": signature})


def rung() -> set[tuple[str, tuple[int, ...]]]:
    """The jobs that wait."""
    jobs = [
        job for name in ("events", "imports") for job in JsonQueue(name, connection=redis_client()).get_jobs()
    ]
    return {(job.func_name.removeprefix("app."), tuple(job.args)) for job in jobs}


def test_a_merchant_is_sent_to_shopify_with_what_we_ask_for(client: FlaskClient, demo: ShopWorld):
    departure = begin(client, "Demo")

    url = urlsplit(departure.headers["Location"])
    query = parse_qs(url.query)
    assert departure.status_code == 302
    assert departure.headers["Location"].startswith(f"{demo.admin_base}/admin/oauth/authorize?")
    assert query["client_id"] == [current().shopify_api_key]
    assert query["scope"] == [",".join(current().scopes)]
    assert query["redirect_uri"] == [f"{PUBLIC}/auth/callback"]
    assert len(query["state"][0]) >= 43
    cookie = departure.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert query["state"][0] not in cookie
    assert departure.headers["Referrer-Policy"] == "no-referrer"
    assert departure.headers["Cache-Control"] == "no-store"


def test_the_cookie_travels_by_https_only_where_we_do(app: Flask, client: FlaskClient, demo: ShopWorld):
    app.config["SETTINGS"] = replace(current(), public_base_url="https://sms.example.com")

    assert "Secure" in begin(client, demo.domain).headers["Set-Cookie"]


@pytest.mark.parametrize("headers", HOSTILE_HOSTS)
@pytest.mark.parametrize("hops", [0, 1, 2])
def test_no_header_changes_where_shopify_sends_the_merchant(
    app: Flask, demo: ShopWorld, headers: dict[str, str], hops: int
):
    behind = create_app(replace(current(), trusted_proxy_hops=hops))
    departure = begin(behind.test_client(), demo.domain, headers=headers)

    redirect_uri = parse_qs(urlsplit(departure.headers["Location"]).query)["redirect_uri"]
    assert redirect_uri == [f"{PUBLIC}/auth/callback"]


@pytest.mark.parametrize(
    "shop",
    [
        "",
        "evil.example",
        "demo.myshopify.com.evil.example",
        "demo.myshopify.com@evil.example",
        "evil.example/demo.myshopify.com",
        "evil.example#.myshopify.com",
        "demo.myshopify.com:80",
        "demo.myshopify.com/../x",
        "demo.myshopify.com\n",
        "demo.myshopify.com\\x",
        "https://demo.myshopify.com",
        "-demo.myshopify.com",
        "δemo.myshopify.com",
        "a.b.myshopify.com",
        "a" * 62 + ".myshopify.com",
    ],
)
def test_what_is_no_shop_is_sent_nowhere(client: FlaskClient, world: World, shop: str):
    refused = begin(client, shop)

    if shop.strip() == "demo.myshopify.com":  # a space or line end around a name is no attack
        assert urlsplit(refused.headers["Location"]).path.startswith("/shopify/demo.myshopify.com/admin/")
    else:
        assert (refused.status_code, refused.json["code"]) == (400, "VALIDATION_ERROR")
    come = come_back(
        client, urlencode({"shop": shop, "code": "c", "state": "s", "hmac": "h", "timestamp": "1"})
    )
    assert come.status_code == 400
    assert count("shops") == 0
    assert world.requests() == []


def test_a_new_shop_is_installed_and_signed_in(client: FlaskClient, demo: ShopWorld):
    answer = come_back(client, agree(begin(client, demo.domain)))

    query = landed(answer)
    assert query["shop"] == demo.domain
    shop = shop_of(demo.domain)
    assert (shop.status, shop.name, shop.currency, shop.timezone) == ("active", None, "EUR", "Europe/Athens")
    verified = client.get("/auth/verify", headers={"Authorization": f"Bearer {query['token']}"})
    assert verified.json["data"]["store"]["shopDomain"] == demo.domain
    assert verified.json["data"]["store"]["shopName"] == "demo"
    connection = connection_of(shop)
    assert connection.status == "active"
    assert missing(current().scopes, connection.scopes) == []
    assert connection.api_version == current().shopify_api_version
    assert connection.access_expires_at is not None
    assert connection.refresh_token is not None
    assert rung() >= {
        ("connections.jobs.register_webhooks", (shop.id,)),
        ("customers.jobs.import_all", (shop.id,)),
    }
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_tokens_are_nowhere_in_the_database_as_they_are(client: FlaskClient, demo: ShopWorld):
    connection = connection_of(install(client, demo))

    for sealed in (connection.access_token, connection.refresh_token):
        assert sealed is not None
        assert bytes(sealed).startswith(b"gAAAA")
        assert b"shp" not in bytes(sealed)


def test_a_return_is_good_once(client: FlaskClient, demo: ShopWorld):
    query = agree(begin(client, demo.domain))

    first, second = come_back(client, query), come_back(client, query)

    assert "token" in landed(first)
    assert landed(second)["error"].startswith("The sign-in took too long or was used already")
    assert len(demo.world.requests(kind="token")) == 1


def test_two_tabs_may_sign_in_side_by_side(client: FlaskClient, demo: ShopWorld, world: World):
    other = world.shop("other.myshopify.com")
    first, second = begin(client, demo.domain), begin(client, other.domain)

    assert landed(come_back(client, agree(first)))["shop"] == demo.domain
    assert landed(come_back(client, agree(second)))["shop"] == other.domain


def test_a_return_that_another_browser_began_signs_nobody_in(
    app: Flask, client: FlaskClient, demo: ShopWorld
):
    theirs = agree(begin(app.test_client(), demo.domain))

    for victim in (client, app.test_client()):
        begin(victim, demo.domain)
        assert "error" in landed(come_back(victim, theirs))
    assert [count(table) for table in TABLES] == [0, 0]


def test_a_return_after_ten_minutes_is_too_late(client: FlaskClient, demo: ShopWorld):
    query = agree(begin(client, demo.domain))

    with clock.moved(timedelta(minutes=10, seconds=1)):
        late = come_back(client, signed(query, timestamp=str(int(clock.now().timestamp()))))

    assert "too long" in landed(late)["error"]
    assert count("shops") == 0


@pytest.mark.parametrize("seconds", [-601, 601, -90_000])
def test_a_return_that_was_signed_at_another_time_is_refused(
    client: FlaskClient, demo: ShopWorld, seconds: int
):
    query = agree(begin(client, demo.domain))
    moment = int(clock.now().timestamp()) + seconds

    assert "too long" in landed(come_back(client, signed(query, timestamp=str(moment))))["error"]
    assert count("shops") == 0


@pytest.mark.parametrize("timestamp", ["soon", "-1", "1e9", "٣", "9" * 40])
def test_a_nonsensical_timestamp_is_refused(client: FlaskClient, demo: ShopWorld, timestamp: str):
    query = agree(begin(client, demo.domain))

    assert "error" in landed(come_back(client, signed(query, timestamp=timestamp)))


@pytest.mark.parametrize("change", ["code", "shop", "state", "timestamp", "hmac", "host", "extra"])
def test_a_tampered_return_is_refused(client: FlaskClient, demo: ShopWorld, world: World, change: str):
    other = world.shop("other.myshopify.com")
    query = agree(begin(client, demo.domain))
    pairs = dict(parse_qsl(query))
    pairs[change] = other.domain if change == "shop" else pairs.get(change, "") + "1"

    refused = come_back(client, urlencode(pairs))

    assert (refused.status_code, refused.json["code"]) == (401, "INVALID_SIGNATURE")
    assert [count(table) for table in TABLES] == [0, 0]
    assert world.requests(kind="token") == []


def test_a_well_signed_return_of_another_shop_does_not_use_our_state(
    client: FlaskClient, demo: ShopWorld, world: World
):
    other = world.shop("other.myshopify.com")
    query = agree(begin(client, demo.domain))

    assert "error" in landed(come_back(client, signed(query, shop=other.domain)))
    assert count("shops") == 0


@pytest.mark.parametrize("left_out", ["code", "shop", "state", "timestamp", "hmac"])
def test_an_incomplete_return_is_refused(client: FlaskClient, demo: ShopWorld, left_out: str):
    pairs = dict(parse_qsl(agree(begin(client, demo.domain))))
    del pairs[left_out]

    refused = come_back(client, urlencode(pairs))

    assert (refused.status_code, refused.json["code"]) == (400, "VALIDATION_ERROR")
    assert refused.json["details"][0]["field"] == left_out


def test_a_parameter_that_stands_twice_is_not_taken_for_one(client: FlaskClient, demo: ShopWorld):
    query = agree(begin(client, demo.domain))

    assert come_back(client, f"{query}&shop=evil.example").status_code == 400


def test_a_merchant_who_says_no_is_told_so(client: FlaskClient, demo: ShopWorld):
    answer = come_back(client, agree(begin(client, demo.domain), deny=True))

    assert landed(answer) == {"error": "The app was not allowed into the shop."}


@pytest.mark.parametrize("fault", ["token_500", "token_drop"])
def test_a_shopify_in_trouble_is_said_to_be(client: FlaskClient, demo: ShopWorld, world: World, fault: str):
    query = agree(begin(client, demo.domain))
    world.fault(fault)

    assert landed(come_back(client, query))["error"].startswith("Shopify does not answer")
    assert count("shops") == 0


def test_a_code_that_shopify_does_not_know_is_refused(client: FlaskClient, demo: ShopWorld):
    query = agree(begin(client, demo.domain))

    assert "error" in landed(come_back(client, signed(query, code="unknown")))


def test_a_second_installation_keeps_the_shop_and_its_settings(client: FlaskClient, demo: ShopWorld):
    shop = install(client, demo)
    client.put("/settings", json={"senderName": "Demo"}, headers=build.auth(shop))
    before = connection_of(shop)

    again = install(client, demo)

    assert (again.id, again.sender_name) == (shop.id, "Demo")
    after = connection_of(again)
    assert after.access_token != before.access_token
    assert after.turn > before.turn
    assert after.installed_at > before.installed_at
    assert count("shops") == 1


def test_a_shop_that_our_staff_put_out_cannot_come_back_by_installing(client: FlaskClient, demo: ShopWorld):
    shop = build.a_shop(demo.domain)
    set_status(shop, ShopStatus.INACTIVE)

    answer = come_back(client, agree(begin(client, demo.domain)))

    assert "error" in landed(answer)
    assert shop_of(demo.domain).status == "inactive"


# --- by session token


def exchange(client: FlaskClient, token: str) -> tuple[int, dict[str, object]]:
    answer = client.post("/auth/shopify-token", json={"sessionToken": token})
    return answer.status_code, answer.json


def test_the_first_session_token_of_a_shop_installs_the_app(client: FlaskClient, demo: ShopWorld):
    status, body = exchange(client, demo.session_token())

    assert status == 200, body
    shop = shop_of(demo.domain)
    assert connection_of(shop).status == "active"
    assert connection_of(shop).refresh_token is not None
    assert rung() >= {("connections.jobs.register_webhooks", (shop.id,))}


def test_further_session_tokens_only_sign_in(client: FlaskClient, demo: ShopWorld, world: World):
    for _ in range(3):
        assert exchange(client, demo.session_token())[0] == 200

    assert len(world.requests(kind="token")) == 1
    assert count("shops") == 1


def test_a_session_token_connects_a_shop_anew_that_shopify_no_longer_lets_in(
    client: FlaskClient, demo: ShopWorld
):
    shop = install(client, demo)
    set_connection(shop, status="needs_reauth")

    assert exchange(client, demo.session_token())[0] == 200
    assert connection_of(shop).status == "active"


def test_an_installed_shop_gets_in_while_shopify_is_away(client: FlaskClient, demo: ShopWorld, world: World):
    shop = install(client, demo)
    set_connection(shop, status="needs_reauth")
    world.fault("token_500")

    assert exchange(client, demo.session_token())[0] == 200
    assert connection_of(shop).status == "needs_reauth"


def test_a_new_shop_is_told_that_shopify_is_away(client: FlaskClient, demo: ShopWorld, world: World):
    world.fault("token_500")

    status, body = exchange(client, demo.session_token())

    assert (status, body["code"]) == (503, "EXTERNAL_SERVICE_ERROR")
    assert count("shops") == 0


def test_a_session_token_from_before_the_uninstall_makes_no_shop(client: FlaskClient, demo: ShopWorld):
    token = demo.session_token(iat=int(clock.now().timestamp()) - 60)
    demo.do("uninstall")

    for _ in range(2):
        status, body = exchange(client, token)
        assert (status, body["code"]) == (401, "STORE_NOT_FOUND")
    assert count("shops") == 0


def test_no_log_line_holds_a_secret(client: FlaskClient, demo: ShopWorld, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    departure = begin(client, demo.domain)
    state = parse_qs(urlsplit(departure.headers["Location"]).query)["state"][0]
    answer = come_back(client, agree(departure))
    exchange(client, demo.session_token())
    exchange(client, "x.y.z")

    ours = [str(record.msg) for record in caplog.records if record.name.startswith("app.")]
    assert any("request" in line for line in ours)
    for line in ours:
        assert not re.search(r"shp(at|rt|ua)_|eyJ", line)
        assert landed(answer)["token"] not in line
        assert state not in line
