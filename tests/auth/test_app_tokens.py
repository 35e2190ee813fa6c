"""The app's own tokens: what they say, how long they hold, what they open."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.auth import tokens
from app.billing import service as billing
from app.config import Settings
from app.core.uow import unit_of_work
from app.shops.models import Shop
from tests import build

DAY = 86_400
SPELLINGS = (str, str.upper, lambda domain: domain.partition(".")[0], "  {} ".format)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def forged(settings: Settings, shop: Shop, **changes: Any) -> str:
    """A token signed with the right secret, as ours but for the changes; None leaves a claim out."""
    claims = jwt.decode(tokens.issue(shop.id, shop.domain), settings.jwt_secret, algorithms=["HS256"])
    changed = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(changed, settings.jwt_secret)


def leave(shop: Shop, status: str) -> None:
    with unit_of_work(shop.id) as session:
        session.execute(sa.text("UPDATE shops SET status = :status"), {"status": status})


def test_a_token_says_whose_it_is_and_holds_for_thirty_days(app: Flask, settings: Settings):
    shop = build.a_shop()

    claims = jwt.decode(tokens.issue(shop.id, shop.domain), settings.jwt_secret, algorithms=["HS256"])

    assert claims["storeId"] == str(shop.id)
    assert claims["shopDomain"] == shop.domain
    assert claims["source"] == "auth_service"
    assert claims["exp"] - claims["iat"] == 30 * DAY
    assert abs(claims["iat"] - time.time()) < 60


def test_the_payload_can_be_read_with_plain_atob(app: Flask):
    shop = build.a_shop()

    for _ in range(100):
        payload = tokens.issue(shop.id, shop.domain).split(".")[1]
        assert not set("-_") & set(payload)
        read = json.loads(base64.b64decode(payload + "=" * (-len(payload) % 4)))
        assert read["shopDomain"] == shop.domain


def test_every_token_is_another_one(app: Flask):
    assert len({tokens.issue(1, "a.myshopify.com") for _ in range(10)}) == 10


def test_whoami_and_verify_tell_the_shop(client: FlaskClient):
    shop = build.a_shop(name="Καφέ")
    billing.grant_credits(shop.id, 120, key="gift", reason="gift")

    verified = client.get("/auth/verify", headers=build.auth(shop)).json["data"]
    whoami = client.get("/whoami", headers=build.auth(shop)).json

    store = {"id": str(shop.id), "shopDomain": shop.domain, "credits": 120, "currency": "EUR"}
    assert verified["valid"] is True
    assert verified["store"] == {**store, "shopName": "Καφέ"}
    assert verified["token"]["storeId"] == str(shop.id)
    assert verified["token"]["source"] == "auth_service"
    assert abs(verified["token"]["exp"] - time.time() - 30 * DAY) < 60
    assert whoami == {"success": True, "shop": {**store, "timezone": "Europe/Athens"}}


def test_a_shop_without_a_name_is_called_by_its_domain(client: FlaskClient):
    shop = build.a_shop("nameless.myshopify.com")

    store = client.get("/auth/verify", headers=build.auth(shop)).json["data"]["store"]

    assert store["shopName"] == "nameless"


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "somebody"},
        {"source": None},
        {"storeId": None},
        {"storeId": "x"},
        {"storeId": "²"},
        {"storeId": "-1"},
        {"storeId": "9" * 30},
        {"storeId": "9" * 5_000},
        {"storeId": ["1"]},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 10**18},
        {"iat": None},
        {"iat": 4_000_000_000},
        {"nbf": 4_000_000_000},
    ],
)
def test_a_well_signed_token_that_makes_no_sense_is_refused(
    client: FlaskClient, settings: Settings, changes: dict[str, Any]
):
    shop = build.a_shop()

    for method, path in (("GET", "/auth/verify"), ("POST", "/auth/refresh")):
        refused = client.open(path, method=method, headers=bearer(forged(settings, shop, **changes)))
        assert (refused.status_code, refused.json["code"]) == (401, "INVALID_TOKEN"), path


def test_a_token_of_a_shop_that_never_was_is_refused(client: FlaskClient):
    refused = client.get("/auth/verify", headers=bearer(tokens.issue(999, "gone.myshopify.com")))

    assert (refused.status_code, refused.json["code"]) == (401, "STORE_NOT_FOUND")


@pytest.mark.parametrize("status", ["uninstalled", "inactive"])
def test_a_shop_that_has_left_is_signed_out_everywhere(client: FlaskClient, settings: Settings, status: str):
    shop = build.a_shop()
    headers = build.auth(shop)
    leave(shop, status)

    for method, path in (("GET", "/whoami"), ("GET", "/contacts"), ("POST", "/auth/refresh")):
        refused = client.open(path, method=method, headers=headers)
        assert (refused.status_code, refused.json["code"]) == (401, "STORE_NOT_FOUND"), path


def test_a_shop_that_comes_back_is_let_in_again(client: FlaskClient):
    shop = build.a_shop()
    leave(shop, "uninstalled")
    leave(shop, "active")

    assert client.get("/whoami", headers=build.auth(shop)).status_code == 200


def test_a_refreshed_token_works(client: FlaskClient):
    shop = build.a_shop()

    answer = client.post("/auth/refresh", headers=build.auth(shop)).json["data"]

    assert answer["expiresIn"] == "30d"
    assert client.get("/whoami", headers=bearer(answer["token"])).json["shop"]["id"] == str(shop.id)


@pytest.mark.parametrize(("days_ago", "status"), [(0.01, 200), (6.9, 200), (7.1, 401), (400, 401)])
def test_an_expired_token_can_be_refreshed_for_a_week(
    client: FlaskClient, settings: Settings, days_ago: float, status: int
):
    shop = build.a_shop()
    ended = int(time.time() - days_ago * DAY)
    old = forged(settings, shop, iat=ended - 30 * DAY, exp=ended)

    assert client.post("/auth/refresh", headers=bearer(old)).status_code == status
    late = client.get("/whoami", headers=bearer(old))
    assert (late.status_code, late.json["code"]) == (401, "TOKEN_EXPIRED")


@pytest.mark.parametrize("header", ["X-Shopify-Shop-Domain", "X-Shopify-Shop"])
@pytest.mark.parametrize("write", SPELLINGS)
def test_the_header_may_name_the_tokens_own_shop_in_any_spelling(
    client: FlaskClient, header: str, write: Any
):
    shop = build.a_shop()

    answer = client.get("/whoami", headers={**build.auth(shop), header: write(shop.domain)})

    assert answer.status_code == 200


@pytest.mark.parametrize("named", ["evil.example", "", "a b", "http://x.myshopify.com", "é", "x" * 5_000])
def test_a_header_that_names_no_shop_is_ignored(client: FlaskClient, named: str):
    headers = {**build.auth(build.a_shop()), "X-Shopify-Shop-Domain": named}

    assert client.get("/whoami", headers=headers).status_code in {200, 403}
    if " " in named or "." in named:
        assert client.get("/whoami", headers=headers).status_code == 200


def test_a_store_id_header_means_nothing(client: FlaskClient):
    mine, other = build.a_shop(), build.a_shop()

    answer = client.get("/whoami", headers={**build.auth(mine), "X-Store-ID": str(other.id)})

    assert answer.json["shop"]["id"] == str(mine.id)


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer"])
def test_the_word_bearer_is_read_in_any_case(client: FlaskClient, scheme: str):
    shop = build.a_shop()
    token = tokens.issue(shop.id, shop.domain)

    answer = client.get("/whoami", headers={"Authorization": f"{scheme} {token}"})

    assert answer.status_code == 200
