"""The door for Stripe: who may come in, and that everything is kept once before it is answered."""

from __future__ import annotations

import dataclasses
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.config import Settings
from app.core.queue import bell_key
from app.core.redis import redis_client
from tests.webhooks.posts import inbox, statements
from tests.webhooks.stripe_posts import PATH, an_event, post, signature

BODY = json.dumps(an_event(event_id="evt_good", note="καλημέρα 👋"), ensure_ascii=False).encode()
# providers.md §4.5, recorded with stripe-python: secret, timestamp, body, v1.
SECRET, SIGNED_AT = "whsec_test_secret", 1_700_000_000
VECTORS = {
    b'{"id":"evt_test_1","object":"event","type":"checkout.session.completed"}': (
        "ca796b857b81e24d595a4c37abf88d2fafb533a32ede6ce4cfc9b0e892a35b08"
    ),
    b'{"id":"evt_test_1","object":"event","type":"checkout.session.completed",'
    b'"data":{"object":{"id":"cs_test_1","object":"checkout.session"}}}': (
        "4a2a3f39402d4bd02442ede6e477b3cbea42955b23b6d2cdab72e5a256f346f1"
    ),
}


@pytest.fixture
def change(app: Flask) -> Iterator[Callable[..., None]]:
    """Changes the app's settings until the test ends."""
    before: Settings = app.config["SETTINGS"]
    yield lambda **values: app.config.update(SETTINGS=dataclasses.replace(before, **values))
    app.config["SETTINGS"] = before


def test_a_signed_event_is_kept_once_and_the_bell_is_rung(client: FlaskClient) -> None:
    response = post(client, BODY)

    assert (response.status_code, response.json) == (200, {"ok": True})
    (event,) = inbox()
    assert (event["provider"], event["topic"], event["external_id"]) == ("stripe", "invoice.paid", "evt_good")
    assert (event["object_key"], event["shop_id"]) == ("customer:cus_1", None)
    assert event["triggered_at"].timestamp() == 1_700_000_000
    assert event["payload"] == json.loads(BODY)
    assert event["processed_at"] is None
    assert redis_client().exists(bell_key("webhooks.apply_stripe"))


def test_a_repeated_event_is_answered_the_same_and_kept_once(client: FlaskClient) -> None:
    answers = [post(client, BODY) for _ in range(3)]

    assert [(answer.status_code, answer.json) for answer in answers] == [(200, {"ok": True})] * 3
    assert len(inbox()) == 1


def test_an_event_costs_one_statement(client: FlaskClient) -> None:
    with statements() as seen:
        post(client, BODY)

    assert len(seen) == 1


@pytest.mark.parametrize(("body", "expected"), VECTORS.items())
def test_our_signatures_are_those_that_stripe_publishes(app: Flask, body: bytes, expected: str) -> None:
    assert hmac.digest(SECRET.encode(), f"{SIGNED_AT}.".encode() + body, "sha256").hex() == expected


def test_a_published_signature_is_too_old_by_now(client: FlaskClient, change: Callable[..., None]) -> None:
    change(stripe_webhook_secret=SECRET)
    for body, v1 in VECTORS.items():
        assert post(client, body, header=f"t={SIGNED_AT},v1={v1}").status_code == 400
        assert post(client, body, header=signature(body, SECRET)).json["code"] == "INVALID_EVENT"


def forged(header: str) -> dict[str, str]:
    time, v1 = (part.partition("=")[2] for part in header.split(","))
    other = signature(BODY, "whsec_another")
    return {
        "missing": "",
        "nonsense": "nonsense",
        "only commas": ",,,===,",
        "cut": header[:-2],
        "no time": f"v1={v1}",
        "time is no number": f"t=now,v1={v1}",
        "time is huge": f"t={'9' * 40},v1={v1}",
        "another time": f"t={int(time) - 1},v1={v1}",
        "no v1": f"t={time}",
        "v0 only": f"t={time},v0={v1}",
        "another secret": other,
        "two wrong ones": f"{other},v1={'0' * 64}",
        "bytes": f"t={time},v1=\xff\xfe",
        "the secret": "whsec_a-secret-for-tests-only-0123456789abcdef",
        "six minutes old": signature(BODY, age_seconds=360),
        "another body's": signature(BODY + b" "),
    }


HOWS = [
    "missing", "nonsense", "only commas", "cut", "no time", "time is no number", "time is huge",
    "another time", "no v1", "v0 only", "another secret", "two wrong ones", "bytes", "the secret",
    "six minutes old", "another body's",
]  # fmt: skip


@pytest.mark.parametrize("how", HOWS)
def test_whoever_is_not_stripe_is_refused_and_nothing_is_kept(client: FlaskClient, how: str) -> None:
    response = post(client, BODY, header=forged(signature(BODY))[how])

    assert (response.status_code, response.json["code"]) == (400, "INVALID_SIGNATURE")
    assert inbox() == []


def test_no_header_at_all_is_refused(client: FlaskClient) -> None:
    response = client.post(PATH, data=BODY, content_type="application/json")

    assert (response.status_code, response.json["code"]) == (400, "INVALID_SIGNATURE")


@pytest.mark.parametrize(
    "change_body",
    [
        lambda body: body + b" ",
        lambda body: body[:-1],
        lambda body: body[: len(body) // 2],
        lambda body: body.replace(b"cus_1", b"cus_2"),
        lambda body: json.dumps(dict(sorted(json.loads(body).items()))).encode(),
        lambda body: json.dumps(json.loads(body), indent=2).encode(),
        lambda body: "καλημέρα".encode("iso-8859-7"),
        lambda body: b"",
    ],
    ids=["longer", "shorter", "half", "tampered", "sorted", "indented", "not utf-8", "empty"],
)
def test_a_body_that_is_not_byte_for_byte_what_was_signed_is_refused(
    client: FlaskClient, change_body: Callable[[bytes], bytes]
) -> None:
    response = post(client, change_body(BODY), header=signature(BODY))

    assert (response.status_code, response.json["code"]) == (400, "INVALID_SIGNATURE")
    assert inbox() == []


def test_a_signature_that_is_four_minutes_old_or_ahead_of_us_opens_the_door(client: FlaskClient) -> None:
    for age_seconds in (240, -3600):
        assert post(client, BODY, header=signature(BODY, age_seconds=age_seconds)).status_code == 200


def test_the_events_own_age_does_not_matter(client: FlaskClient) -> None:
    old = an_event() | {"created": 1_500_000_000}

    assert post(client, old).status_code == 200
    assert len(inbox()) == 1


@pytest.mark.parametrize("secret", ["whsec_new", "whsec_old"])
def test_every_live_secret_opens_the_door_alone_or_beside_others(
    client: FlaskClient, change: Callable[..., None], secret: str
) -> None:
    change(stripe_webhook_secret="whsec_new, whsec_old")
    ours, other = signature(BODY, secret), signature(BODY, "whsec_unknown")

    assert post(client, BODY, header=ours).status_code == 200
    assert post(client, BODY, header=f"{other},{ours.partition(',')[2]}").status_code == 200
    assert post(client, BODY, header=signature(BODY, "whsec_new, whsec_old")).status_code == 400


def test_without_a_secret_nobody_comes_in(client: FlaskClient, change: Callable[..., None]) -> None:
    header = signature(BODY)
    for none in (None, "", " , "):
        change(stripe_webhook_secret=none)
        response = post(client, BODY, header=header)
        assert (response.status_code, response.json["code"]) == (503, "STRIPE_NOT_CONFIGURED")
    assert inbox() == []


def test_a_body_that_is_too_large_is_refused_by_its_size(client: FlaskClient) -> None:
    response = post(client, an_event(note="x" * (5 * 1024 * 1024)))

    assert (response.status_code, response.json["code"]) == (413, "REQUEST_TOO_LARGE")
    assert inbox() == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b"null", b'{"id": NaN}', b"[" * 9000, b"<html></html>"]
)
def test_a_signed_body_that_is_no_object_is_refused(client: FlaskClient, body: bytes) -> None:
    response = post(client, body)

    assert (response.status_code, response.json["code"]) == (400, "INVALID_JSON")
    assert inbox() == []


@pytest.mark.parametrize(
    "members",
    [
        {"id": None},
        {"id": 7},
        {"id": ""},
        {"id": "evt_" + "x" * 300},
        {"id": "evt_\0"},
        {"object": "v2.core.event"},
        {"object": None},
        {"type": None},
        {"type": {"a": 1}},
        {"created": "yesterday"},
        {"created": None},
        {"created": 10**30},
        {"data": None},
        {"data": []},
        {"data": "object"},
        {"data": {"object": None}},
        {"data": {"object": "in_1"}},
        {"data": {"object": 7}},
        {"data": {"object": {}, "previous_attributes": 7}},
    ],
)
def test_signed_json_that_is_no_event_is_refused(client: FlaskClient, members: dict[str, Any]) -> None:
    response = post(client, an_event() | members)

    assert (response.status_code, response.json["code"]) == (400, "INVALID_EVENT")
    assert inbox() == []


def test_what_no_database_text_can_hold_is_kept_with_a_mark_in_its_place(client: FlaskClient) -> None:
    body = json.dumps(an_event(note="NOTE")).replace("NOTE", r"a\u0000b \ud83d \ud83d\ude00").encode()

    assert post(client, body).status_code == 200
    assert inbox()[0]["payload"]["data"]["object"]["note"] == "a\ufffdb \ufffd 😀"


def test_numbers_that_json_does_not_know_are_refused(client: FlaskClient) -> None:
    body = json.dumps(an_event(amount=1)).replace('"amount": 1', '"amount": 1e999').encode()

    assert (post(client, body).status_code, inbox()) == (400, [])


@pytest.mark.parametrize(
    ("about", "key"),
    [
        ({"object": "invoice", "customer": "cus_7"}, "customer:cus_7"),
        ({"object": "invoice", "customer": {"id": "cus_7", "object": "customer"}}, "customer:cus_7"),
        ({"object": "customer", "id": "cus_7", "customer": None}, "customer:cus_7"),
        ({"object": "payment_intent", "id": "pi_7", "customer": None}, "payment:pi_7"),
        ({"object": "charge", "id": "ch_7", "customer": None, "payment_intent": "pi_7"}, "payment:pi_7"),
        ({"object": "refund", "id": "re_7", "customer": None, "charge": "ch_7"}, "payment:ch_7"),
        ({"object": "dispute", "id": "dp_7", "customer": None, "payment_intent": "pi_7"}, "payment:pi_7"),
        ({"object": "price", "id": "price_7", "customer": None}, "price:price_7"),
        ({"object": "price", "id": "price_7", "customer": 7}, "price:price_7"),
    ],
)
def test_events_of_one_customer_or_payment_share_a_key(
    client: FlaskClient, about: dict[str, Any], key: str
) -> None:
    post(client, an_event(**about))

    assert inbox()[0]["object_key"] == key
