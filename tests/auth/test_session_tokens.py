"""Shopify's session tokens: who may exchange one for an app token."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import replace

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time

from app.auth import tokens
from app.config import Settings
from app.core.errors import InvalidToken, TokenExpired
from tests import build
from tests.auth.sessions import session_claims, session_token

DOMAIN = "some-shop.myshopify.com"
# Recorded: secret, client id and token belong together; the token is good for one minute from 1700000000.
VECTOR_SECRET = "hush" * 8
VECTOR_CLIENT = "client-id-123"
VECTOR_BEGIN = 1_700_000_000
VECTOR = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL3NvbWUtc2hvcC5teXNob3BpZnkuY29tL2FkbWluIiwiZGVz"
    "dCI6Imh0dHBzOi8vc29tZS1zaG9wLm15c2hvcGlmeS5jb20iLCJhdWQiOiJjbGllbnQtaWQtMTIzIiwic3ViIjoiNDIiLCJleHAiOjE3MD"
    "AwMDAwNjAsIm5iZiI6MTcwMDAwMDAwMCwiaWF0IjoxNzAwMDAwMDAwLCJqdGkiOiJmODkxMjEyOS0xYWY2LTRjYWQtOWNhMy03NmIwZjc2"
    "MjEwODciLCJzaWQiOiJhYWVhMTgyZjI3MzJkNDRjMjMwNTdjMGZlYTU4NDAyMWE0NDg1YjJiZDI1ZDNlYjdmZDM0OTMxM2FkMjRjNjg1Ii"
    "wic2lnIjoieCJ9.MndMC1lTDK2-SIL43gfuuEeSlB7O0miw5onqUQOvqrc"
)


@pytest.fixture
def of_vector(app: Flask, settings: Settings) -> Iterator[None]:
    """The app with the client id and secret of the recorded token."""
    app.config["SETTINGS"] = replace(
        settings, shopify_api_key=VECTOR_CLIENT, shopify_api_secret=VECTOR_SECRET
    )
    yield
    app.config["SETTINGS"] = settings


@pytest.mark.parametrize("seconds", [-9, 0, 59, 69])
def test_the_recorded_token_is_good_for_its_minute_and_a_little_more(of_vector: None, seconds: int):
    with freeze_time(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(VECTOR_BEGIN + seconds))):
        assert tokens.verify_session_token(VECTOR) == DOMAIN


@pytest.mark.parametrize(("seconds", "refusal"), [(-11, InvalidToken), (71, TokenExpired)])
def test_the_recorded_token_is_no_good_before_and_after(
    of_vector: None, seconds: int, refusal: type[InvalidToken]
):
    with (
        freeze_time(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(VECTOR_BEGIN + seconds))),
        pytest.raises(refusal),
    ):
        tokens.verify_session_token(VECTOR)


def test_a_good_token_names_its_shop(app: Flask, settings: Settings):
    assert tokens.verify_session_token(session_token(settings, DOMAIN)) == DOMAIN


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another-app"},
        {"aud": None},
        {"iss": "https://other.myshopify.com/admin"},
        {"iss": "https://evil.example/admin"},
        {"iss": None},
        {"dest": "https://other.myshopify.com"},
        {"dest": "https://evil.example"},
        {"dest": "https://some-shop.myshopify.com.evil.example"},
        {"dest": "http://some-shop.myshopify.com"},
        {"dest": "some-shop.myshopify.com"},
        {"dest": "https://[broken"},
        {"dest": None},
        {"dest": 5},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": None},
        {"iat": None},
        {"jti": None},
        {"sid": None},
        {"sub": None},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
    ],
)
def test_a_token_with_a_wrong_or_missing_claim_is_refused(
    app: Flask, settings: Settings, changes: dict[str, object]
):
    with pytest.raises(InvalidToken):
        tokens.verify_session_token(session_token(settings, DOMAIN, **changes))


@pytest.mark.parametrize("domain", ["evil.example", "a.b.myshopify.com", "myshopify.com", ".myshopify.com"])
def test_a_token_for_what_is_no_shop_is_refused(app: Flask, settings: Settings, domain: str):
    with pytest.raises(InvalidToken):
        tokens.verify_session_token(session_token(settings, domain))


def test_while_the_secret_is_replaced_both_are_good(app: Flask, settings: Settings):
    token = session_token(settings, DOMAIN)
    app.config["SETTINGS"] = replace(settings, shopify_api_secret=f"{'n' * 32},{settings.shopify_api_secret}")
    try:
        assert tokens.verify_session_token(token) == DOMAIN
        with pytest.raises(TokenExpired):
            tokens.verify_session_token(session_token(settings, DOMAIN, exp=int(time.time()) - 11))
        with pytest.raises(InvalidToken):
            tokens.verify_session_token(session_token(settings, DOMAIN, aud="another-app"))
    finally:
        app.config["SETTINGS"] = settings


def test_an_expired_token_is_told_apart(app: Flask, settings: Settings):
    with pytest.raises(TokenExpired):
        tokens.verify_session_token(session_token(settings, DOMAIN, exp=int(time.time()) - 11))


def test_no_algorithm_but_ours_is_taken(app: Flask, settings: Settings):
    claims = session_claims(settings, DOMAIN)
    head = {"alg": "none", "typ": "JWT"}
    unsigned = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, claims)
    )
    for token in (
        f"{unsigned}.",
        f"{unsigned}.c2ln",
        jwt.encode(claims, settings.shopify_api_secret * 2, algorithm="HS512"),
        jwt.encode(claims, settings.jwt_secret),
        "",
        "x",
        "a.b.c",
        "é.é.é",
        "\ud800",
    ):
        with pytest.raises(InvalidToken):
            tokens.verify_session_token(token)


def test_the_exchange_gives_a_token_that_works_and_says_it_twice(client: FlaskClient, settings: Settings):
    shop = build.a_shop(name="Καφέ")

    answer = client.post("/auth/shopify-token", json={"sessionToken": session_token(settings, shop.domain)})

    assert answer.status_code == 200
    body = answer.json
    assert body["success"] is True
    assert body["data"]["expiresIn"] == "30d"
    assert body["data"]["store"] == {
        "id": str(shop.id),
        "shopDomain": shop.domain,
        "shopName": "Καφέ",
        "credits": 0,
        "currency": "EUR",
    }
    for mirrored in ("token", "store", "expiresIn"):
        assert body[mirrored] == body["data"][mirrored]
    signed_in = client.get("/auth/verify", headers={"Authorization": f"Bearer {body['token']}"})
    assert signed_in.json["data"]["store"] == body["store"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "VALIDATION_ERROR"),
        ({"sessionToken": None}, 400, "VALIDATION_ERROR"),
        ({"sessionToken": 5}, 400, "VALIDATION_ERROR"),
        ({"sessionToken": ""}, 401, "INVALID_TOKEN"),
        ({"sessionToken": "x.y.z"}, 401, "INVALID_TOKEN"),
    ],
)
def test_what_is_no_token_is_refused(client: FlaskClient, body: dict[str, object], status: int, code: str):
    refused = client.post("/auth/shopify-token", json=body)

    assert (refused.status_code, refused.json["code"]) == (status, code)


def test_a_session_token_is_no_app_token(client: FlaskClient, settings: Settings):
    shop = build.a_shop()

    refused = client.get(
        "/auth/verify", headers={"Authorization": f"Bearer {session_token(settings, shop.domain)}"}
    )

    assert (refused.status_code, refused.json["code"]) == (401, "INVALID_TOKEN")
