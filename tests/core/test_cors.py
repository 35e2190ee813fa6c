"""Which web pages may call the API."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.core.conftest import MakeApp

ALLOWED = [
    "https://app.example.com",
    "https://web.example.com",
    "https://admin.shopify.com",
    "https://my-shop-1.myshopify.com",
]
DISALLOWED = [
    "https://evil.example",
    "https://app.example.com.evil.example",
    "https://xapp.example.com",
    "http://app.example.com",
    "https://app.example.com:444",
    "http://my-shop.myshopify.com",
    "https://my-shop.myshopify.com.evil.example",
    "https://my.shop.myshopify.com",
    "https://evil.example/.myshopify.com",
    "https://-shop.myshopify.com",
    "https://admin.shopify.com.evil.example",
    "null",
]


@pytest.fixture(scope="module")
def web(make_app: MakeApp) -> FlaskClient:
    allowed = {"frontend_url": "https://app.example.com", "cors_allowlist": ("https://web.example.com",)}
    return make_app(**allowed).test_client()


@pytest.mark.parametrize("origin", ALLOWED)
def test_an_allowed_page_may_read_the_answer(web: FlaskClient, origin: str):
    answer = web.get("/health", headers={"Origin": origin})

    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origin", DISALLOWED)
def test_any_other_page_gets_an_answer_without_permission(web: FlaskClient, origin: str):
    answer = web.get("/health", headers={"Origin": origin})
    preflight = web.options("/contacts", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})

    assert answer.status_code == 200
    assert preflight.status_code == 204
    for response in (answer, preflight):
        assert not any(name.startswith("Access-Control") for name in dict(response.headers))


@pytest.mark.parametrize("origin", ALLOWED)
def test_a_preflight_is_answered_without_a_credential(web: FlaskClient, origin: str):
    asked = "authorization,content-type,idempotency-key,x-shopify-shop-domain,x-client-version,api-version"
    answer = web.options(
        "/contacts/1",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": asked,
        },
    )

    assert answer.status_code == 204
    assert answer.data == b""
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    allowed = answer.headers["Access-Control-Allow-Headers"].lower().replace(" ", "").split(",")
    assert set(asked.split(",")) <= set(allowed)
    methods = set(answer.headers["Access-Control-Allow-Methods"].replace(" ", "").split(","))
    assert {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} <= methods
    assert answer.headers["Access-Control-Max-Age"] == "86400"


def test_refusals_and_bugs_can_be_read_by_the_page_too(web: FlaskClient):
    headers = {"Origin": "https://app.example.com"}

    for path, status in (("/contacts", 401), ("/nowhere", 404), ("/trial/bug", 500)):
        answer = web.get(path, headers=headers)
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.com"


def test_a_call_that_comes_from_no_page_needs_no_permission(web: FlaskClient):
    answer = web.get("/health")

    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
