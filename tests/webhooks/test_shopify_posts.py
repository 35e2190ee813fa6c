"""The door for Shopify: who may come in, and that everything is kept once before it is answered."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.config import Settings
from app.core.queue import bell_key
from app.core.redis import redis_client
from app.core.settings import settings
from app.integrations.shopify.signatures import webhook_signature
from app.shops.models import Shop
from tests import build
from tests.webhooks.posts import inbox, statements
from tests.webhooks.shopify_posts import ANY_TOPIC, headers_of, post

BODY = '{"id": 820982911946154508, "note": "καλημέρα 👋"}'.encode()
ADDRESSES = {
    "/automation-webhooks/shopify/orders/create": "orders/create",
    "/automation-webhooks/shopify/orders/fulfilled": "orders/fulfilled",
    "/automation-webhooks/shopify/customers/create": "customers/create",
    "/webhooks/app_uninstalled": "app/uninstalled",
}
ABANDONED = (
    "/automation-webhooks/shopify/checkout/abandoned",
    "/automation-webhooks/shopify/cart/abandoned",
    "/automation-webhooks/shopify/flow/abandoned-checkout",
)
PLACES = (ANY_TOPIC, *ADDRESSES, *ABANDONED)


@pytest.fixture
def shop(app: Flask) -> Shop:
    return build.a_shop()


@pytest.fixture
def change(app: Flask) -> Iterator[Callable[..., None]]:
    """Changes the app's settings until the test ends."""
    before: Settings = app.config["SETTINGS"]
    yield lambda **values: app.config.update(SETTINGS=dataclasses.replace(before, **values))
    app.config["SETTINGS"] = before


def test_a_signed_event_is_kept_once_and_its_shops_bell_is_rung(client: FlaskClient, shop: Shop) -> None:
    response = post(client, shop, "orders/create", BODY, webhook_id="d-1")

    assert (response.status_code, response.json) == (200, {"ok": True})
    (event,) = inbox()
    assert (event["provider"], event["topic"], event["external_id"]) == ("shopify", "orders/create", "d-1")
    assert (event["shop_id"], event["object_key"]) == (shop.id, "orders:820982911946154508")
    assert event["triggered_at"].isoformat() == "2026-11-24T10:00:00+00:00"
    assert event["payload"] == json.loads(BODY)
    assert event["processed_at"] is None
    assert redis_client().exists(bell_key("webhooks.apply_shopify", shop.id))


def test_a_repeated_delivery_is_answered_the_same_and_kept_once(client: FlaskClient, shop: Shop) -> None:
    answers = [post(client, shop, "orders/create", BODY, webhook_id="d-1") for _ in range(3)]

    assert [(answer.status_code, answer.json) for answer in answers] == [(200, {"ok": True})] * 3
    assert len(inbox()) == 1


def test_an_event_costs_one_statement(client: FlaskClient, shop: Shop) -> None:
    with statements() as seen:
        post(client, shop, "orders/create", BODY)

    assert len(seen) == 1


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize(
    "forge",
    [
        lambda good, secret: {},
        lambda good, secret: {**good, "X-Shopify-Hmac-Sha256": ""},
        lambda good, secret: {**good, "X-Shopify-Hmac-Sha256": good["X-Shopify-Hmac-Sha256"][:-2]},
        lambda good, secret: {**good, "X-Shopify-Hmac-Sha256": webhook_signature(BODY, "another secret")},
        lambda good, secret: {**good, "X-Shopify-Hmac-Sha256": webhook_signature(BODY + b" ", secret)},
        lambda good, secret: {**good, "X-Shopify-Hmac-Sha256": webhook_signature(BODY[:-1], secret)},
        lambda good, secret: {**good, "X-Shopify-Hmac-Sha256": "\xff\xfe"},
        lambda good, secret: {**good, "X-Shopify-Hmac-Sha256": secret},
        lambda good, secret: {"X-Webhook-Token": secret},
        lambda good, secret: {"Authorization": f"Bearer {secret}"},
    ],
    ids=[
        "unsigned",
        "empty",
        "cut",
        "other-secret",
        "longer",
        "shorter",
        "bytes",
        "secret",
        "token",
        "bearer",
    ],
)
def test_whoever_is_not_shopify_is_refused_and_nothing_is_kept(
    client: FlaskClient, shop: Shop, path: str, forge: Callable[[dict[str, str], str], dict[str, str]]
) -> None:
    headers = forge(headers_of(shop, "orders/create", BODY), settings().shopify_api_secret)

    response = client.post(path, data=BODY, headers=headers, content_type="application/json")

    assert response.status_code == 401
    assert response.json["code"] == "INVALID_WEBHOOK_SIGNATURE"
    assert inbox() == []


def test_the_same_members_in_another_order_are_another_body(client: FlaskClient, shop: Shop) -> None:
    signed, sent = b'{"id": 1, "name": "#1"}', b'{"name": "#1", "id": 1}'
    headers = headers_of(shop, "orders/create", signed)

    assert json.loads(signed) == json.loads(sent)
    assert client.post(ANY_TOPIC, data=sent, headers=headers).status_code == 401


def test_the_published_example_opens_the_door(client: FlaskClient, change: Callable[..., None]) -> None:
    change(shopify_api_secret="hush")
    body = b'{"shop_id":954889,"shop_domain":"some-shop.myshopify.com"}'
    headers = headers_of("some-shop.myshopify.com", "shop/redact", body) | {
        "X-Shopify-Hmac-Sha256": "Tr2c7Me17fTQwz4kN7AGPjEn0lRCShuYgLnmDSgxA4k="
    }

    assert client.post(ANY_TOPIC, data=body, headers=headers).status_code == 200


@pytest.mark.parametrize("secret", ["newest", "older", "extra"])
def test_every_live_secret_opens_the_door(
    client: FlaskClient, shop: Shop, change: Callable[..., None], secret: str
) -> None:
    change(shopify_api_secret="newest, older", shopify_webhook_secret="extra")

    assert post(client, shop, "orders/create", BODY, secret=secret).status_code == 200
    assert post(client, shop, "orders/create", BODY, secret="newest, older").status_code == 401


def test_a_body_that_is_too_large_is_refused_by_its_size(client: FlaskClient, shop: Shop) -> None:
    body = b'{"id": 1, "note": "' + b"x" * (5 * 1024 * 1024) + b'"}'

    response = post(client, shop, "orders/create", body)

    assert (response.status_code, response.json["code"]) == (413, "REQUEST_TOO_LARGE")
    assert inbox() == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b'{"id": NaN}', b'{"id": 1e999}', b"\xff", b"[" * 9000]
)
def test_a_signed_body_that_is_no_object_is_refused(client: FlaskClient, shop: Shop, body: bytes) -> None:
    response = post(client, shop, "orders/create", body)

    assert (response.status_code, response.json["code"]) == (400, "INVALID_JSON")
    assert inbox() == []


def test_what_no_database_text_can_hold_is_kept_with_a_mark_in_its_place(
    client: FlaskClient, shop: Shop
) -> None:
    response = post(
        client, shop, "orders/create", rb'{"id": 1, "note": "a\u0000b \ud83d \ud83d\ude00", "\u0000": 1}'
    )

    assert response.status_code == 200
    assert inbox()[0]["payload"] == {"id": 1, "note": "a\ufffdb \ufffd 😀", "\ufffd": 1}


def test_a_shop_that_nobody_installed_is_answered_and_kept_as_nobodys(client: FlaskClient) -> None:
    response = post(client, "stranger.myshopify.com", "orders/create", BODY)

    assert response.status_code == 200
    (event,) = inbox()
    assert (event["shop_id"], event["outcome"]) == (None, "unmatched")
    assert event["processed_at"] is not None


def test_headers_that_name_another_shop_than_the_signed_body_reach_neither(
    client: FlaskClient, shop: Shop
) -> None:
    other = build.a_shop()

    post(client, shop, "shop/redact", {"shop_domain": other.domain})

    assert [(event["shop_id"], event["outcome"]) for event in inbox()] == [(None, "unmatched")]


@pytest.mark.parametrize(("path", "topic"), ADDRESSES.items())
def test_an_address_stands_for_its_topic_where_the_headers_name_none(
    client: FlaskClient, shop: Shop, path: str, topic: str
) -> None:
    headers = headers_of(shop, "", BODY)
    del headers["X-Shopify-Topic"]
    client.post(path, data=BODY, headers=headers)
    post(client, shop, "orders/paid", BODY, path=path)

    assert [event["topic"] for event in inbox()] == [topic, "orders/paid"]


def test_a_post_without_a_delivery_id_is_known_again_by_its_body(client: FlaskClient, shop: Shop) -> None:
    headers = headers_of(shop, "orders/create", BODY)
    del headers["X-Shopify-Webhook-Id"]
    for _ in range(2):
        assert client.post(ANY_TOPIC, data=BODY, headers=headers).status_code == 200

    assert len(inbox()) == 1


@pytest.mark.parametrize("path", ABANDONED)
def test_a_left_checkout_is_one_event_however_often_it_is_told(
    client: FlaskClient, shop: Shop, path: str
) -> None:
    for name in ("checkout_id", "abandonedCheckoutId"):
        assert (
            post(client, shop, "", {name: "gid://shopify/AbandonedCheckout/7"}, path=path).status_code == 200
        )

    (event,) = inbox()
    assert (event["topic"], event["object_key"], event["shop_id"]) == (
        "checkouts/abandoned",
        "checkouts:7",
        shop.id,
    )


def test_a_flow_shows_its_secret_and_names_its_shop(
    client: FlaskClient, shop: Shop, change: Callable[..., None]
) -> None:
    change(shopify_flow_secret="flows-secret")
    body = {"checkout_id": 7, "shop_domain": shop.domain}

    def call(path: str, token: str) -> int:
        return client.post(path, json=body, headers={"X-Webhook-Token": token}).status_code

    assert call(ABANDONED[2], "guess") == 401
    assert call(ABANDONED[0], "flows-secret") == 401
    assert call(ABANDONED[2], "flows-secret") == 200
    assert [event["shop_id"] for event in inbox()] == [shop.id]


@pytest.mark.parametrize(
    "body", [{}, {"checkout_id": None}, {"checkout_id": {"id": 7}}, {"checkout_id": True}]
)
def test_a_left_checkout_without_its_id_is_refused(client: FlaskClient, shop: Shop, body: object) -> None:
    response = post(client, shop, "", body, path=ABANDONED[0])

    assert (response.status_code, response.json["code"]) == (400, "VALIDATION_ERROR")
