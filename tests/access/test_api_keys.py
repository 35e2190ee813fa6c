"""Keys for a shop's own systems: made once, shown once, used, rotated, revoked."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.access.service import keys
from app.core.clock import now
from app.core.http.schema import instant
from app.core.uow import unit_of_work
from tests import build_contacts
from tests.access.calls import a_key, call, move, status, stored
from tests.build_campaigns import Merchant, a_merchant

OPEN, CLOSED = (200, None), (401, "INVALID_TOKEN")


def test_a_key_opens_the_shop_that_made_it(client: FlaskClient, merchant: Merchant):
    contact = build_contacts.a_contact(merchant.shop)
    build_contacts.a_contact(a_merchant(client).shop)

    _, secret = a_key(merchant)

    shown = call(client, secret).json["data"]["items"]
    assert str(contact.id) in {one["id"] for one in shown}
    assert len(shown) == len(merchant.data("GET", "/contacts")["items"])


def test_the_secret_is_shown_once_and_kept_nowhere(client: FlaskClient, merchant: Merchant):
    answer = merchant.call("POST", "/api-keys", {"name": " Till ", "scopes": ["contacts:read"]})

    made, secret = answer.json["data"]["key"], answer.json["data"]["secret"]
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert re.fullmatch(rf"ak_{made['id']}_[A-Za-z0-9_-]{{43}}", secret)
    assert secret.startswith(made["prefix"])
    listed = merchant.call("GET", "/api-keys")
    assert secret not in listed.text
    assert listed.json["data"]["items"] == listed.json["data"]["apiKeys"] == [made]
    assert (made["name"], made["scopes"]) == ("Till", ["contacts:read"])
    assert (made["expiresAt"], made["lastUsedAt"]) == (None, None)
    row, random = stored(merchant, made["id"]), secret.split("_", 2)[2]
    assert bytes(row.secret_sha256) == hashlib.sha256(random.encode()).digest()
    assert random not in str(tuple(row))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": ["contacts:read"]}, "name"),
        ({"name": "  ", "scopes": ["contacts:read"]}, "name"),
        ({"name": "x" * 101, "scopes": ["contacts:read"]}, "name"),
        ({"name": "Till"}, "scopes"),
        ({"name": "Till", "scopes": []}, "scopes"),
        ({"name": "Till", "scopes": ["contacts:read", "keys:write"]}, "scopes.1"),
        ({"name": "Till", "scopes": ["contacts:read"], "expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
    ],
)
def test_a_key_needs_a_name_known_scopes_and_a_future(
    merchant: Merchant, body: dict[str, object], field: str
):
    assert merchant.fault("POST", "/api-keys", body) == field


def test_a_shop_has_at_most_fifty_keys(merchant: Merchant):
    ids = [a_key(merchant)[0] for _ in range(keys.KEYS_MAX)]

    refused = merchant.refused("POST", "/api-keys", {"name": "One more", "scopes": ["contacts:read"]})

    assert refused == (409, "TOO_MANY_API_KEYS")
    merchant.data("DELETE", f"/api-keys/{ids[0]}")
    a_key(merchant)


def test_a_wrong_secret_opens_nothing(client: FlaskClient, merchant: Merchant):
    key_id, secret = a_key(merchant)
    other_id, _ = a_key(merchant)
    random = secret.split("_", 2)[2]

    wrong = [
        f"ak_{key_id}_{'x' * 43}",
        f"ak_{other_id}_{random}",
        f"ak_{int(key_id) + 1000}_{random}",
        f"ak_{10**18 * 9 + 9 * 10**18 // 10}_{random}",
        f"ak__{random}",
        secret[:-1],
        secret + "x",
        secret.upper(),
        "ak_",
        f"ak_{key_id}_{'é' * 43}",
    ]

    assert {one: status(client, one) for one in wrong} == dict.fromkeys(wrong, CLOSED)
    assert stored(merchant, key_id).last_used_at is None


def test_an_expired_key_opens_nothing(client: FlaskClient, merchant: Merchant):
    soon = instant(now() + timedelta(hours=1))
    key_id, secret = a_key(merchant, expiresAt=soon)
    assert status(client, secret) == OPEN

    move(merchant, key_id, "expires_at = now() - interval '1 second'")

    assert status(client, secret) == CLOSED


def test_a_revoked_key_opens_nothing_from_then_on(client: FlaskClient, merchant: Merchant):
    key_id, old = a_key(merchant)
    new = merchant.data("POST", f"/api-keys/{key_id}/rotate")["secret"]
    assert (status(client, old), status(client, new)) == (OPEN, OPEN)

    merchant.data("DELETE", f"/api-keys/{key_id}")

    assert (status(client, old), status(client, new)) == (CLOSED, CLOSED)
    assert merchant.data("GET", "/api-keys")["items"] == []
    assert merchant.refused("DELETE", f"/api-keys/{key_id}") == (404, "NOT_FOUND")
    assert merchant.refused("POST", f"/api-keys/{key_id}/rotate") == (404, "NOT_FOUND")


def test_a_rotated_key_opens_with_its_old_secret_for_a_day(client: FlaskClient, merchant: Merchant):
    key_id, old = a_key(merchant)

    rotated = merchant.call("POST", f"/api-keys/{key_id}/rotate")

    new = rotated.json["data"]["secret"]
    assert rotated.headers["Cache-Control"] == "no-store"
    assert new != old
    assert new.startswith(rotated.json["data"]["key"]["prefix"])
    assert (status(client, old), status(client, new)) == (OPEN, OPEN)
    left = stored(merchant, key_id).previous_until - now()
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    move(merchant, key_id, "previous_until = now() - interval '1 second'")
    assert (status(client, old), status(client, new)) == (CLOSED, OPEN)


def test_rotating_twice_closes_the_oldest_secret(client: FlaskClient, merchant: Merchant):
    key_id, first = a_key(merchant)
    second, third = (merchant.data("POST", f"/api-keys/{key_id}/rotate")["secret"] for _ in range(2))

    assert [status(client, one) for one in (first, second, third)] == [CLOSED, OPEN, OPEN]


def test_the_last_use_is_written_at_most_once_a_minute(client: FlaskClient, merchant: Merchant):
    key_id, secret = a_key(merchant)
    call(client, secret)
    first = stored(merchant, key_id).last_used_at

    call(client, secret)
    assert stored(merchant, key_id).last_used_at == first

    move(merchant, key_id, "last_used_at = now() - interval '61 seconds'")
    call(client, secret)
    assert stored(merchant, key_id).last_used_at > first
    assert merchant.data("GET", "/api-keys")["items"][0]["lastUsedAt"]


def test_a_key_of_a_shop_that_left_opens_nothing(client: FlaskClient, merchant: Merchant):
    _, secret = a_key(merchant)
    with unit_of_work(merchant.shop.id) as session:
        session.execute(sa.text("UPDATE shops SET status = 'uninstalled'"))

    assert status(client, secret) == (401, "STORE_NOT_FOUND")


def test_a_key_does_not_open_a_shop_that_the_header_names(client: FlaskClient, merchant: Merchant):
    _, secret = a_key(merchant)
    headers = {"Authorization": f"Bearer {secret}", "X-Shopify-Shop-Domain": a_merchant(client).shop.domain}

    assert client.get("/contacts", headers=headers).json["code"] == "TENANT_MISMATCH"


def test_a_key_cannot_be_exchanged_for_a_session(client: FlaskClient, merchant: Merchant):
    _, secret = a_key(merchant)

    assert status(client, secret, "POST", "/auth/refresh") == CLOSED
