"""Every operation of the OpenAPI document: other shops' objects, missing credentials, hostile input.

Nothing here is written per route: a new route is tested from the day it is registered.
"""

from __future__ import annotations

import re
import time
from typing import Any

import jwt
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.config import Settings
from tests import build
from tests.contracts import hostile
from tests.contracts.belongings import MAKERS, NOT_KEPT_HERE, everything_of
from tests.contracts.operations import Json, Operation, operations, tenant_operations

pytestmark = pytest.mark.usefixtures("stripe_world")  # payments are set up, as in production

# A public route is one that strangers may call. Add one here only on purpose.
PUBLIC = {
    "GET /",
    "GET /health",
    "GET /healthz",
    "GET /readiness",
    "GET /auth/shopify",
    "GET /auth/callback",
    "POST /auth/shopify-token",
    "POST /auth/refresh",
    "GET /r/{token}",
    "GET /s/{token}",
    "GET /opt-out/{token}",
    "POST /opt-out/{token}",
    "GET /unsubscribe/{token}",
    "POST /unsubscribe/{token}",
    "POST /webhooks/mitto/dlr",
    "POST /webhooks/mitto/inbound",
    "POST /webhooks/shopify",
    "POST /webhooks/stripe",
    "POST /webhooks/app_uninstalled",
    "POST /automation-webhooks/shopify/orders/create",
    "POST /automation-webhooks/shopify/orders/fulfilled",
    "POST /automation-webhooks/shopify/customers/create",
    "POST /automation-webhooks/shopify/checkout/abandoned",
    "POST /automation-webhooks/shopify/cart/abandoned",
    "POST /automation-webhooks/shopify/flow/abandoned-checkout",
    "POST /api/opt-in",
    "GET /opt-in/confirm/{token}",
    "POST /opt-in/confirm/{token}",
    "POST /public/contact",
    "GET /public/packages",
}
# Bodies that get past validation, so that the answer is about the object and not about the body.
BODIES: dict[str, Json] = {
    "PUT /contacts/{contact_id}": {"firstName": "Εύα"},
    "POST /campaigns/{campaign_id}/test": {"phoneE164": "+306900000001"},
    "POST /audiences/segments/{segment_id}/members": {"contactIds": ["1"]},
    "DELETE /audiences/segments/{segment_id}/members": {"contactIds": ["1"]},
}
# As a server hands in a body whose length was not told beforehand.
CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
# Ids that travel in the query: (operation, parameter, kind of object).
QUERY_IDS = [("GET /contacts", "listId", "segment_id")]

OPERATIONS = operations()
TENANT_OPERATIONS = tenant_operations()
# No tenant's, and no stranger's either: the administrator's token is the credential.
ADMIN_OPERATIONS = [
    operation
    for operation in OPERATIONS
    if operation.path.startswith("/admin/")
    or operation.path in {"/metrics", "/health/config", "/health/full"}
]
WITH_IDS = [
    operation
    for operation in TENANT_OPERATIONS
    if operation.path_parameters and not NOT_KEPT_HERE.issuperset(operation.path_parameters)
]


def every(chosen: list[Operation]) -> Any:
    return pytest.mark.parametrize("operation", chosen, ids=lambda operation: operation.name)


def call(client: FlaskClient, operation: Operation, address: str, **kwargs: Any) -> TestResponse:
    return client.open(address, method=operation.method, **kwargs)


def assert_is_refusal(response: TestResponse, status: int, *codes: str) -> None:
    assert response.status_code == status, response.text
    body = response.get_json()
    assert body["success"] is False
    assert body["code"] == body["error"]
    assert body["code"] in codes


def test_only_the_listed_routes_are_public():
    found = {operation.name for operation in OPERATIONS if operation.is_public}

    assert found - {operation.name for operation in ADMIN_OPERATIONS} == PUBLIC


def test_every_served_route_is_an_operation_or_documentation(app: Flask):
    documented = {operation.path for operation in OPERATIONS}
    served = [
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.startswith("api-docs.") and not rule.endpoint.endswith("static")
    ]

    assert set(served) == documented


def test_every_id_in_a_path_has_a_maker():
    missing = {name for operation in WITH_IDS for name in operation.path_parameters} - set(MAKERS)

    assert not missing, f"tests/contracts/belongings.py needs a maker in MAKERS for {sorted(missing)}"


@every(WITH_IDS)
def test_another_shops_objects_do_not_exist(
    app: Flask, client: FlaskClient, owner: sa.Engine, operation: Operation
):
    theirs, stranger = build.a_shop(), build.a_shop()
    ids = {name: MAKERS[name](client, theirs) for name in operation.path_parameters}
    address, body = operation.address(**ids), BODIES.get(operation.name)
    before = everything_of(owner, theirs)

    refused = call(client, operation, address, json=body, headers=build.auth(stranger))

    assert_is_refusal(refused, 404, "NOT_FOUND")
    assert everything_of(owner, theirs) == before
    own = call(client, operation, address, json=body, headers=build.auth(theirs))
    assert own.status_code != 404, "the object's own shop must reach it, or this test proves nothing"
    assert own.status_code < 500, own.text


@pytest.mark.parametrize(("name", "parameter", "kind"), QUERY_IDS)
def test_another_shops_objects_cannot_be_named_in_a_query(
    app: Flask, client: FlaskClient, name: str, parameter: str, kind: str
):
    theirs, stranger = build.a_shop(), build.a_shop()
    address = f"{name.partition(' ')[2]}?{parameter}={MAKERS[kind](client, theirs)}"

    assert_is_refusal(client.get(address, headers=build.auth(stranger)), 404, "NOT_FOUND")
    assert client.get(address, headers=build.auth(theirs)).status_code == 200


@every(TENANT_OPERATIONS)
def test_nobody_gets_in_without_a_good_token(
    app: Flask, client: FlaskClient, settings: Settings, operation: Operation
):
    shop, other = build.a_shop(), build.a_shop()
    address = operation.address(**dict.fromkeys(operation.path_parameters, "1"))
    good = build.auth(shop)["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(good, settings.jwt_secret, algorithms=["HS256"])
    expired = jwt.encode({**claims, "exp": int(time.time()) - 60}, settings.jwt_secret)
    foreign = jwt.encode(claims, "another-secret-of-at-least-32-bytes!")
    unsigned = jwt.encode(claims, None, algorithm="none")

    for header in (None, "", "Bearer", "Bearer  ", f"Basic {good}", good):
        headers = {"Authorization": header} if header is not None else {}
        assert_is_refusal(call(client, operation, address, headers=headers), 401, "AUTHENTICATION_REQUIRED")
    for token in ("x", "a.b.c", good[:-2], f"{good}x", foreign, unsigned, "é.é.é"):
        refused = call(client, operation, address, headers={"Authorization": f"Bearer {token}"})
        assert_is_refusal(refused, 401, "INVALID_TOKEN")
    late = call(client, operation, address, headers={"Authorization": f"Bearer {expired}"})
    assert_is_refusal(late, 401, "TOKEN_EXPIRED")
    only_named = call(client, operation, address, headers={"X-Shopify-Shop-Domain": shop.domain})
    assert_is_refusal(only_named, 401, "AUTHENTICATION_REQUIRED")
    for header in ("X-Shopify-Shop-Domain", "X-Shopify-Shop"):
        mixed = call(client, operation, address, headers={**build.auth(shop), header: other.domain})
        assert_is_refusal(mixed, 403, "TENANT_MISMATCH")


@every(ADMIN_OPERATIONS)
def test_only_the_administrator_administers(app: Flask, client: FlaskClient, operation: Operation):
    address = operation.address(**dict.fromkeys(operation.path_parameters, "1"))

    for token in (None, "", "x", "é"):
        headers = build.auth(build.a_shop()) | ({} if token is None else {"X-Admin-Token": token})
        assert_is_refusal(call(client, operation, address, headers=headers), 403, "FORBIDDEN")


@every(OPERATIONS)
def test_hostile_bodies_are_refused_politely(
    app: Flask, client: FlaskClient, settings: Settings, operation: Operation
):
    headers, address = _prepare(client, settings, operation)

    for body, content_type in hostile.bodies(operation):
        response = call(client, operation, address, data=body, content_type=content_type, headers=headers)
        _assert_polite(response, f"{content_type}: {body[:200]!r}")


@every([one for one in OPERATIONS if one.declared.get("requestBody")])
def test_a_body_of_more_than_5_mb_is_refused(
    app: Flask, client: FlaskClient, settings: Settings, operation: Operation
):
    headers, address = _prepare(client, settings, operation)
    body = b'{"name": "' + b"x" * 6 * 1024 * 1024 + b'"}'

    kwargs: Any = {"data": body, "content_type": hostile.JSON, "headers": headers}
    counted = call(client, operation, address, **kwargs)
    chunked = call(client, operation, address, **kwargs, environ_overrides=CHUNKED)

    assert_is_refusal(counted, 413, "REQUEST_TOO_LARGE")
    assert_is_refusal(chunked, 413, "REQUEST_TOO_LARGE")


@every(OPERATIONS)
def test_hostile_queries_and_paths_are_refused_politely(
    app: Flask, client: FlaskClient, settings: Settings, operation: Operation
):
    headers, address = _prepare(client, settings, operation)
    addresses = [f"{address}?{query}" for query in hostile.queries(operation)]
    for name in operation.path_parameters:
        addresses += [operation.path.replace(f"{{{name}}}", text) for text in hostile.PATH_TEXTS]

    for one in addresses:
        one = one.format(**dict.fromkeys(operation.path_parameters, "1"))
        _assert_polite(call(client, operation, one, headers=headers), one[:200])


def _prepare(client: FlaskClient, settings: Settings, operation: Operation) -> tuple[dict[str, str], str]:
    """The headers and the address of a good call: of a shop that owns what the path names."""
    shop = build.a_shop()
    makers = {} if operation.is_public else MAKERS
    ids = {name: makers[name](client, shop) if name in makers else "1" for name in operation.path_parameters}
    secrets = {"X-Webhook-Token": settings.mitto_webhook_secret, "X-Admin-Token": settings.admin_token}
    return build.auth(shop) | secrets, operation.address(**ids)


def _assert_polite(response: TestResponse, sent: str) -> None:
    assert response.status_code < 500, f"{sent} -> {response.status_code} {response.text[:300]}"
    if response.status_code >= 400 and response.mimetype != "text/html":
        body = response.get_json()
        assert body["success"] is False, sent
        assert body["code"] == body["error"], sent
        assert body["message"], sent
