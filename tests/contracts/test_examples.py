"""The document shows by example: every body, and what the API makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from flask.testing import FlaskClient

from app.config import Settings
from app.core.errors import DomainError
from app.core.http.documenting import codes_in, modules_behind
from app.core.http.examples import example_of
from tests import build
from tests.contracts.belongings import MAKERS
from tests.contracts.operations import Json, Operation, document, operations

JSON = "application/json"
every = pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.name)
WITH_BODY = [one for one in operations() if one.body_schema is not None]
# Examples cannot be true of every shop: what is refused for another reason than its form was understood.
MALFORMED = {"VALIDATION_ERROR", "INVALID_JSON", "INVALID_CONTENT_TYPE"}


@every
def test_every_body_has_an_example_that_its_schema_allows(operation: Operation) -> None:
    for where, media in bodies(operation):
        assert "example" in media, where
        assert list(faults(media["example"], media["schema"])) == [], where


@every
def test_every_refusal_names_its_codes(operation: Operation) -> None:
    for status, response in operation.declared["responses"].items():
        if status.startswith(("4", "5")) and JSON in response.get("content", {}):
            shown = response["content"][JSON]["example"]
            assert shown["code"] == shown["error"]
            assert shown["code"] in response["description"].split(", ")


@every
def test_every_credential_is_described(operation: Operation) -> None:
    described = set(document()["components"]["securitySchemes"])

    assert {name for one in operation.declared.get("security", ()) for name in one} <= described


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.name)
def test_the_example_of_a_body_is_understood(
    client: FlaskClient, settings: Settings, operation: Operation
) -> None:
    shop = build.a_shop()
    ids = {name: MAKERS[name](client, shop) for name in operation.path_parameters if name in MAKERS}
    headers = build.auth(shop) | {"X-Admin-Token": settings.admin_token}
    example = operation.declared["requestBody"]["content"][JSON]["example"]

    answer = client.open(operation.address(**ids), method=operation.method, json=example, headers=headers)

    assert answer.status_code < 500
    assert answer.status_code < 400 or answer.get_json()["code"] not in MALFORMED, answer.text


def test_a_feature_gives_the_refusals_that_it_names() -> None:
    codes = codes_in(*modules_behind("app.campaigns.routes"))
    assert {"NO_RECIPIENTS", "INVALID_FILTER"} <= codes[400].keys()
    assert "INSUFFICIENT_CREDITS" in codes[402], "it is another feature's"
    assert "SUBSCRIPTION_REQUIRED" in codes[403], "a step of another feature raises it"
    assert "IDEMPOTENCY_KEY_REUSED" in codes[409]
    assert "NO_RECIPIENTS" not in codes_in(*modules_behind("app.contacts.routes")).get(400, {})
    assert DomainError.code not in codes_in("app.core.errors")[400]


def test_an_example_is_the_fields_own_before_it_is_made_up() -> None:
    schema: Json = {
        "properties": {
            "name": {"type": "string", "example": "Ours"},
            "kind": {"type": "string", "enum": [None, "a"]},
            "many": {"type": "array", "items": {"type": "integer", "minimum": 7}},
            "other": {"allOf": [{"$ref": "#/components/schemas/Other"}], "nullable": True},
        }
    }

    shown = example_of(schema, {"Other": {"properties": {"phone": {"type": "string"}}}})

    assert shown == {"name": "Ours", "kind": "a", "many": [7], "other": {"phone": "+306912345678"}}


def bodies(operation: Operation) -> Iterator[tuple[str, Json]]:
    """The JSON that an operation takes, and what it gives on success."""
    declared = operation.declared
    places = {"requestBody": declared.get("requestBody", {}), **declared["responses"]}
    for where, body in places.items():
        media = body.get("content", {}).get(JSON)
        if media is not None and not where.startswith(("4", "5")):
            yield where, media


def faults(value: Any, schema: Json) -> Iterator[str]:
    root = {**schema, "components": document()["components"]}
    for fault in jsonschema_rs.Draft4Validator(root).iter_errors(value):
        yield f"{'.'.join(map(str, fault.instance_path))}: {fault.message}"
