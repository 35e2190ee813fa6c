"""The door for the carrier: who may come in, and that everything is kept once before it is answered."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.queue import bell_key
from app.core.redis import redis_client
from app.core.settings import settings
from tests.webhooks.posts import DLR, INBOUND, a_report, inbox, post, statements

BODY = json.dumps(a_report("m-1")).encode()


def signature(body: bytes, secret: str | None = None) -> str:
    return hmac.new((secret or settings().mitto_webhook_secret).encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    "headers",
    [
        lambda: {"X-Webhook-Token": settings().mitto_webhook_secret},
        lambda: {"X-Mitto-Signature": signature(BODY)},
        lambda: {"X-Webhook-Signature": signature(BODY)},
        lambda: {"X-Webhook-Signature": "sha256=" + signature(BODY).upper()},
    ],
)
def test_the_shared_secret_or_a_signature_of_the_raw_body_opens_the_door(
    client: FlaskClient, headers: Callable[[], dict[str, str]]
) -> None:
    response = post(client, DLR, BODY, headers())

    assert response.status_code == 202
    assert response.json == {"ok": True, "received": 1, "updated": 0, "affectedCampaigns": []}
    assert len(inbox()) == 1


@pytest.mark.parametrize("path", [DLR, INBOUND])
@pytest.mark.parametrize(
    "headers",
    [
        dict,
        lambda: {"X-Webhook-Token": ""},
        lambda: {"X-Webhook-Token": "guess"},
        lambda: {"X-Webhook-Token": "σύνθημα".encode().decode("latin-1")},
        lambda: {"X-Webhook-Token": settings().mitto_webhook_secret[:-1]},
        lambda: {"X-Mitto-Signature": signature(BODY, "another secret")},
        lambda: {"X-Mitto-Signature": signature(BODY + b" ")},
        lambda: {"X-Mitto-Signature": ""},
        lambda: {"X-Mitto-Signature": signature(BODY)[:-2]},
        lambda: {"X-Webhook-Token": signature(BODY)},
        lambda: {"Authorization": f"Bearer {settings().mitto_webhook_secret}"},
    ],
)
def test_everybody_else_is_refused_and_nothing_is_kept(
    client: FlaskClient, path: str, headers: Callable[[], dict[str, str]]
) -> None:
    response = post(client, path, BODY, headers())

    assert response.status_code == 401
    assert response.json["code"] == response.json["error"] == "INVALID_WEBHOOK_SIGNATURE"
    assert inbox() == []


def test_strangers_do_not_learn_whether_their_body_was_json(client: FlaskClient) -> None:
    assert post(client, DLR, b"{", {}).status_code == 401


def test_two_secrets_live_while_one_replaces_the_other(app: Flask, client: FlaskClient) -> None:
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = dataclasses.replace(before, mitto_webhook_secret="old-secret, new-secret")
    try:
        for secret in ("old-secret", "new-secret"):
            assert post(client, DLR, BODY, {"X-Webhook-Token": secret}).status_code == 202
            assert post(client, DLR, BODY, {"X-Mitto-Signature": signature(BODY, secret)}).status_code == 202
        assert post(client, DLR, BODY, {"X-Webhook-Token": "old-secret, new-secret"}).status_code == 401
        assert post(client, DLR, BODY, {"X-Webhook-Token": ""}).status_code == 401
    finally:
        app.config["SETTINGS"] = before


def test_a_repeated_report_is_kept_once_and_answered_alike(client: FlaskClient) -> None:
    answers = [post(client, DLR, a_report("m-1", status)) for status in ("Delivered", "delivered", "Sent")]

    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert [event["payload"]["status"] for event in inbox()] == ["delivered", "sent"]


def test_an_array_of_five_hundred_is_one_statement(client: FlaskClient) -> None:
    reports = [a_report(f"m-{number}") for number in range(500)]

    with statements() as seen:
        response = post(client, DLR, [*reports, reports[0]])

    assert response.json["received"] == 501
    assert len(seen) == 1
    assert len(inbox()) == 500


def test_a_post_rings_once_however_many_come(client: FlaskClient) -> None:
    for number in range(3):
        post(client, DLR, a_report(f"m-{number}"))

    assert redis_client().exists(bell_key("webhooks.apply_reports"))
    assert redis_client().llen("rq:queue:events") == 1


@pytest.mark.parametrize(
    ("body", "received"),
    [
        ([], 0),
        ({}, 0),
        ([{}, None, 7, "text", []], 0),
        ([a_report("m-1"), {"messageId": "m-2"}], 1),
        ({"id": "m-1", "Status": "DELIVRD", "errorcode": 0}, 1),
        (a_report("m\u0000-1", "Deliv\ud800ered", error="a\u0000b\udfff"), 1),
        (a_report("m-1", "SomethingNew"), 1),
    ],
)
def test_whatever_the_carrier_says_is_accepted(client: FlaskClient, body: object, received: int) -> None:
    response = post(client, DLR, body)

    assert response.status_code == 202
    assert response.json["received"] == received
    assert len(inbox()) == received


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"messageId=1&status=Delivered"])
def test_what_is_no_json_is_refused(client: FlaskClient, body: bytes) -> None:
    response = post(client, DLR, body)

    assert response.status_code == 400
    assert response.json["code"] == "INVALID_JSON"


@pytest.mark.parametrize("path", [DLR, INBOUND])
def test_a_body_of_more_than_five_megabytes_is_refused(client: FlaskClient, path: str) -> None:
    response = post(client, path, b'"' + b"a" * 5 * 1024 * 1024 + b'"')

    assert response.status_code == 413
    assert response.json["code"] == "REQUEST_TOO_LARGE"


def test_a_text_from_a_phone_is_kept_once(client: FlaskClient) -> None:
    text = {"from": "306912345678", "to": "54321", "text": "ΣΤΟΠ", "messageId": "in-1"}

    answers = [post(client, INBOUND, text) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json == {"ok": True, "received": 1}
    (event,) = inbox()
    assert (event["provider"], event["topic"]) == ("mitto", "inbound")
    assert event["payload"] == {"from": "306912345678", "to": "54321", "text": "ΣΤΟΠ"}
    assert redis_client().exists(bell_key("webhooks.receive_replies"))


def test_a_text_without_a_number_or_words_is_not_kept(client: FlaskClient) -> None:
    for body in ({}, {"from": "306912345678"}, {"text": "STOP"}, [], 7):
        response = post(client, INBOUND, body)
        assert response.status_code == 200
        assert response.json["received"] == 0
    assert inbox() == []
