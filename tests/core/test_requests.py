"""What every answer has: the envelope, an id, a version, headers; and how addresses may be written."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient

from app.core.clock import now
from app.shops.models import Shop
from tests import build

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def shop(client: FlaskClient) -> Shop:
    return build.a_shop()


def test_a_success_is_wrapped_in_the_envelope(client: FlaskClient, shop: Shop):
    body = client.get("/contacts/stats", headers=build.auth(shop)).json

    assert body["success"] is True
    assert isinstance(body["data"], dict)
    assert body["apiVersion"] == "v1"
    assert INSTANT.fullmatch(body["timestamp"])
    assert abs(now() - datetime.fromisoformat(body["timestamp"])) < timedelta(minutes=1)


def test_nothing_to_say_is_null_and_not_absent(client: FlaskClient, shop: Shop):
    contact = client.post("/contacts", json={"phoneE164": "+306912345678"}, headers=build.auth(shop))
    assert contact.status_code == 201, contact.text

    deleted = client.delete(f"/contacts/{contact.json['data']['id']}", headers=build.auth(shop))

    assert deleted.status_code == 200
    assert deleted.json["data"] is None
    assert deleted.json["message"]


def test_an_error_has_its_envelope(client: FlaskClient, shop: Shop):
    refused = client.get("/contacts/1", headers=build.auth(shop))

    body = refused.json
    assert refused.status_code == 404
    assert body["success"] is False
    assert body["error"] == body["code"] == "NOT_FOUND"
    assert body["message"]
    assert (body["path"], body["method"]) == ("/contacts/1", "GET")
    assert body["requestId"] == refused.headers["X-Request-ID"]
    assert INSTANT.fullmatch(body["timestamp"])
    assert "details" not in body


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/no-such-route", 404, "NOT_FOUND"),
        ("GET", "/contacts/abc", 404, "NOT_FOUND"),
        ("GET", "/contacts/9999999999999999999", 404, "NOT_FOUND"),
        ("GET", "/contacts/%D9%A3", 404, "NOT_FOUND"),
        ("DELETE", "/health", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_the_frameworks_own_errors_have_the_envelope_too(
    client: FlaskClient, shop: Shop, method: str, path: str, status: int, code: str
):
    refused = client.open(path, method=method, headers=build.auth(shop))

    assert refused.status_code == status
    assert refused.json["error"] == refused.json["code"] == code


@pytest.mark.parametrize("given", ["abc-123", "A.b_c", "x" * 128])
def test_the_callers_request_id_comes_back(client: FlaskClient, given: str):
    answer = client.get("/contacts", headers={"X-Request-ID": given})

    assert answer.headers["X-Request-ID"] == given
    assert answer.json["requestId"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "<script>", "née"])
def test_a_request_id_that_is_none_is_replaced(client: FlaskClient, given: str):
    answer = client.get("/health", headers={"X-Request-ID": given})

    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_every_request_gets_an_id_of_its_own(client: FlaskClient):
    ids = {client.get("/health").headers["X-Request-ID"] for _ in range(3)}

    assert len(ids) == 3


@pytest.mark.parametrize(
    ("version", "status", "code"),
    [
        ("v1", 200, None),
        ("v2", 400, "unsupported_version"),
        ("v10", 400, "unsupported_version"),
        ("1", 400, "invalid_version"),
        ("v1.0", 400, "invalid_version"),
        ("latest", 400, "invalid_version"),
    ],
)
def test_only_version_1_is_served(client: FlaskClient, version: str, status: int, code: str | None):
    answer = client.get("/health", headers={"API-Version": version})

    assert answer.status_code == status
    assert answer.headers["API-Version"] == "v1"
    assert answer.json.get("code") == code


@pytest.mark.parametrize("path", ["/health", "/contacts", "/no-such-route", "/docs"])
def test_every_answer_has_the_security_headers(client: FlaskClient, path: str):
    headers = client.get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "default-src" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path", ["/contacts", "/contacts/stats", "/billing/balance", "/audiences/segments", "/campaigns"]
)
@pytest.mark.parametrize("ending", ["", "/", "?", "/?", "?&", "?page=&search="])
def test_a_slash_or_a_question_mark_at_the_end_changes_nothing(
    client: FlaskClient, shop: Shop, path: str, ending: str
):
    answer = client.get(path + ending, headers=build.auth(shop))

    assert answer.status_code == 200


def test_a_post_with_a_slash_is_not_redirected(client: FlaskClient, shop: Shop):
    answer = client.post("/contacts/", json={"phoneE164": "+306912345678"}, headers=build.auth(shop))

    assert answer.status_code == 201


def test_unknown_fields_and_parameters_are_ignored(client: FlaskClient, shop: Shop):
    headers = build.auth(shop)

    assert client.get("/contacts?nonsense=1", headers=headers).status_code == 200
    body = {"phoneE164": "+306912345678", "nonsense": {"a": 1}}
    assert client.post("/contacts", json=body, headers=headers).status_code == 201
