"""What a key may do: its scopes, part by part of the API, and never its own management."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.access.scopes import NEEDED, Scope
from app.core.http import ApiBlueprint
from tests.access.calls import a_key, call, status
from tests.build_campaigns import Merchant
from tests.contracts.operations import Operation, tenant_operations

NEVER_WITH_A_KEY = {"auth", "api-keys", "automation-trigger", "privacy", "subscriptions"}
READS = [
    ("/contacts", Scope.CONTACTS_READ),
    ("/contacts/imports", Scope.CONTACTS_READ),
    ("/audiences", Scope.CONTACTS_READ),
    ("/campaigns", Scope.CAMPAIGNS_READ),
    ("/templates", Scope.TEMPLATES_READ),
    ("/dashboard", Scope.REPORTS_READ),
    ("/billing/balance", Scope.BILLING_READ),
    ("/settings", Scope.SETTINGS_READ),
    ("/activity", Scope.ACTIVITY_READ),
]
ALL = [str(scope) for scope in Scope]


@pytest.mark.parametrize(("path", "scope"), READS)
def test_reading_needs_the_scope_of_that_part(
    client: FlaskClient, merchant: Merchant, path: str, scope: Scope
):
    _, able = a_key(merchant, scope)
    _, unable = a_key(merchant, *(one for one in ALL if one != scope))

    refused = call(client, unable, "GET", path)

    assert call(client, able, "GET", path).status_code == 200
    assert (refused.status_code, refused.json["code"]) == (403, "FORBIDDEN")
    assert refused.json["meta"] == {"scope": scope}
    assert scope in refused.json["message"]


def test_who_may_only_read_changes_nothing(client: FlaskClient, merchant: Merchant):
    _, reader = a_key(merchant, "contacts:read")
    _, writer = a_key(merchant, "contacts:write")
    before = merchant.data("GET", "/contacts")["total"]
    body = {"phoneE164": "+306912345678"}

    refused = call(client, reader, "POST", "/contacts", json=body)

    assert (refused.status_code, refused.json["meta"]) == (403, {"scope": "contacts:write"})
    assert merchant.data("GET", "/contacts")["total"] == before
    assert call(client, writer, "POST", "/contacts", json=body).status_code == 201
    assert status(client, writer, "GET", "/contacts") == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    "operation",
    [one for one in tenant_operations() if NEVER_WITH_A_KEY & set(one.declared["tags"])],
    ids=lambda operation: operation.name,
)
def test_no_key_manages_keys_or_sign_in(client: FlaskClient, merchant: Merchant, operation: Operation):
    key_id, secret = a_key(merchant, *ALL)
    address = operation.address(**dict.fromkeys(operation.path_parameters, key_id))

    assert status(client, secret, operation.method, address) == (403, "FORBIDDEN")
    assert status(client, secret) == (200, None)


@pytest.mark.parametrize(("method", "path"), [("PUT", "/settings"), ("PUT", "/settings/sender")])
def test_no_key_changes_what_only_the_merchant_decides(
    client: FlaskClient, merchant: Merchant, method: str, path: str
):
    _, secret = a_key(merchant, *ALL)

    assert status(client, secret, method, path) == (403, "FORBIDDEN")


def test_every_part_of_the_api_has_its_scopes_or_is_closed_on_purpose(app: Flask):
    parts = {name for name, one in app.blueprints.items() if isinstance(one, ApiBlueprint) and not one.public}

    assert set(NEEDED) | NEVER_WITH_A_KEY == parts
    assert {scope for pair in NEEDED.values() for scope in pair if scope} == set(Scope)


def test_the_scopes_in_the_code_are_those_of_the_database(app: Flask, owner: sa.Engine):
    with owner.connect() as connection:
        check = connection.exec_driver_sql(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'ck_api_keys_scopes'"
        ).scalar_one()

    assert set(re.findall(r"'(\w+:\w+)'", check)) == set(Scope)
