"""Refusals are shown, bugs are hidden and logged once, and no log line knows a person."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.errors import Conflict, DomainError, NotFound, ValidationFailed
from tests import build
from tests.core.conftest import EMAIL, PHONE, Line, MakeApp

Lines = Callable[[], list[Line]]


def test_a_refusal_keeps_its_status_code_and_sentence(trial: FlaskClient):
    refused = trial.get("/trial/refusal")

    assert refused.status_code == 409
    assert refused.json["code"] == "CONFLICT"
    assert refused.json["message"] == "Not now."
    assert refused.json["meta"] == {"reason": "busy", "retryAfter": 7, "other": 1}
    assert (refused.json["reason"], refused.json["retryAfter"]) == ("busy", 7)


def test_a_refused_field_is_named_in_the_details(trial: FlaskClient):
    refused = trial.get("/trial/field")

    assert refused.status_code == 400
    assert refused.json["details"] == [{"field": "scheduleAt", "message": "must be in the future"}]


@pytest.mark.parametrize("path", ["/trial/bug", "/trial/row"])
def test_a_bug_is_a_500_that_tells_nothing(trial: FlaskClient, lines: Lines, path: str):
    broken = trial.get(path)

    assert broken.status_code == 500
    assert broken.json["code"] == broken.json["error"] == "SERVER_ERROR"
    assert set(broken.json) == {
        "success", "error", "code", "message", "requestId", "timestamp", "path", "method"
    }  # fmt: skip
    for secret in (PHONE, EMAIL, "RuntimeError", "Traceback", "INSERT", "suppressions"):
        assert secret not in broken.text


@pytest.mark.parametrize(
    ("path", "error"), [("/trial/bug", "RuntimeError"), ("/trial/row", "IntegrityError")]
)
def test_a_bug_is_logged_once_with_its_place_and_without_its_text(
    trial: FlaskClient, lines: Lines, path: str, error: str
):
    lines()

    trial.get(path, headers={"X-Request-ID": "the-request"})

    written = lines()
    (bug,) = [line for line in written if line["level"] == "error"]
    assert bug["event"] == "unexpected_exception"
    assert bug["error"] == error
    assert bug["request_id"] == "the-request"
    assert bug["route"] == path
    assert any(frame.startswith("conftest.py:") for frame in bug["frames"])
    assert "exc_info" not in bug
    assert PHONE not in str(written)
    assert PHONE.removeprefix("+") not in str(written)
    assert EMAIL not in str(written)


def test_a_refusal_is_not_logged_as_an_error(trial: FlaskClient, lines: Lines):
    lines()

    trial.get("/trial/refusal")

    assert [(line["event"], line["level"], line["status"]) for line in lines()] == [("request", "info", 409)]


def test_the_log_of_a_request_has_the_route_and_not_the_path(trial: FlaskClient, lines: Lines):
    lines()

    trial.get("/trial/log/secret-token-123?phone=306912345678")

    written = lines()
    request = next(line for line in written if line["event"] == "request")
    assert request["route"] == "/trial/log/<token>"
    assert isinstance(request["milliseconds"], float)
    assert "secret-token-123" not in str(written)
    assert "306912345678" not in str(written)


def test_probes_do_not_fill_the_log(trial: FlaskClient, lines: Lines):
    lines()

    trial.get("/health")
    trial.get("/healthz")

    assert lines() == []


def test_a_signed_in_request_says_which_shop(client: FlaskClient, lines: Lines):
    shop = build.a_shop()
    lines()

    client.get("/contacts/stats", headers=build.auth(shop))

    assert [line["shop_id"] for line in lines() if line["event"] == "request"] == [shop.id]


def test_without_a_database_the_answer_is_503_and_says_try_again(app: Flask, make_app: MakeApp, lines: Lines):
    headers = build.auth(build.a_shop())
    away = make_app(database_url="postgresql+psycopg2://nobody@127.0.0.1:9/none")
    lines()

    refused = away.test_client().get("/contacts", headers=headers)

    assert (refused.status_code, refused.json["code"]) == (503, "DATABASE_UNAVAILABLE")
    assert "127.0.0.1" not in refused.text
    assert [line["event"] for line in lines() if line["level"] == "error"] == ["database_unavailable"]


def test_every_refusal_has_a_code_of_its_own_and_a_sentence():
    seen = list(_all_refusals(DomainError))

    assert {Conflict, NotFound, ValidationFailed} <= set(seen)
    for refusal in seen:
        assert 400 <= refusal.status < 600, refusal
        assert refusal.code
        assert refusal.message or refusal.__init__ is not DomainError.__init__, refusal


def test_only_authentication_answers_401():
    """Both web clients sign the user out on a 401."""
    signing_out = {refusal.code for refusal in _all_refusals(DomainError) if refusal.status == 401}

    assert signing_out == {
        "AUTHENTICATION_REQUIRED", "INVALID_TOKEN", "TOKEN_EXPIRED", "STORE_NOT_FOUND",
        "INVALID_WEBHOOK_SIGNATURE", "INVALID_SIGNATURE",  # of posts, and of a way back from Shopify
    }  # fmt: skip


def _all_refusals(kind: type[DomainError]) -> list[type[DomainError]]:
    found = [kind]
    for below in kind.__subclasses__():
        if below.__module__.startswith("app."):
            found += _all_refusals(below)
    return found
