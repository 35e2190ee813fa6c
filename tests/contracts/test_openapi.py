"""The OpenAPI document and the page that shows it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient

from tests.conftest import VALUES
from tests.contracts.operations import NOBODY, Json, Operation, document, operations, resolved

ROOT = Path(__file__).resolve().parents[2]
# whoami: contract §4. A file is a file.
FILES = {
    "GET /activity/export",
    "GET /billing/ledger/export",
    "GET /billing/statements/{month}.csv",
    "GET /billing/statements/{month}.pdf",
    "GET /contacts/export",
    "GET /suppressions/export",
    "GET /reports/export",
}
NOT_ENVELOPED = {"GET /whoami", *FILES}
every = pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.name)


def test_the_document_is_openapi():
    schemathesis.openapi.from_dict(document()).validate()


def test_every_reference_leads_somewhere():
    references = set(_values_of(document(), "$ref"))

    assert references
    for reference in references:
        where: Any = document()
        for step in reference.removeprefix("#/").split("/"):
            where = where[step]


def test_the_document_says_what_it_is():
    assert document()["openapi"].startswith("3.0")
    assert document()["info"]["title"] == "Astronote API"
    assert document()["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert document()["security"] == [{"bearer": []}]


def test_every_operation_has_its_own_name():
    names = [operation.declared.get("operationId") for operation in operations()]
    given = [name for name in names if name]

    assert len(given) == len(set(given))


@every
def test_an_operation_says_what_it_does_and_how_it_can_fail(operation: Operation):
    declared = operation.declared

    assert declared.get("summary", "").strip()
    assert declared.get("tags")
    if not operation.is_public:
        assert declared.get("security", document()["security"]) == [{"bearer": []}]
        assert "401" in declared["responses"]
    if operation.path_parameters and not operation.is_public:
        assert "404" in declared["responses"]
    if operation.body_schema or operation.query_parameters:
        assert "400" in declared["responses"]


@every
def test_every_refusal_has_the_error_envelope(operation: Operation):
    for status, response in operation.declared["responses"].items():
        schema = resolved(response.get("content", {}).get("application/json", {}).get("schema", {}))
        if status.startswith("4") and schema:
            assert {"success", "error", "code", "message", "details"} <= set(schema["properties"])


@every
def test_every_path_parameter_is_declared(operation: Operation):
    assert set(re.findall(r"{(\w+)}", operation.path)) == set(operation.path_parameters)


def test_ids_are_strings_wherever_they_appear():
    numeric = [
        (schema, name)
        for schema, declared in document()["components"]["schemas"].items()
        for name, kind in declared.get("properties", {}).items()
        if (name == "id" or name.endswith(("Id", "Ids"))) and _is_number(kind)
    ]

    assert numeric == []


def test_every_success_of_a_tenant_operation_is_enveloped():
    for operation in operations():
        if operation.is_public or operation.name in NOT_ENVELOPED:
            continue
        for status, response in operation.declared["responses"].items():
            if status.startswith("2"):
                schema = resolved(response["content"]["application/json"]["schema"])
                assert {"success", "data", "requestId", "timestamp"} <= set(schema["properties"]), operation


def test_the_page_loads_nothing_from_elsewhere(client: FlaskClient):
    page = client.get("/docs")

    assert page.status_code == 200
    assert re.findall(r"(?:https?:)?//[\w.-]+", page.text) == []
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        asset = client.get(address)
        assert asset.status_code == 200, address
        asset.close()
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("address", ["/docs", "/docs/", "/openapi.json"])
def test_the_documentation_is_served_without_a_redirect(client: FlaskClient, address: str):
    assert client.get(address).status_code == 200


def test_the_command_prints_nothing_but_the_document(client: FlaskClient):
    printed = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "openapi", "print"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **VALUES, **NOBODY},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert json.loads(printed.stdout) == client.get("/openapi.json").json


def _is_number(kind: Json) -> bool:
    return (
        "integer" in str(kind.get("type"))
        or "number" in str(kind.get("type"))
        or ("items" in kind and _is_number(kind["items"]))
    )


def _values_of(node: Any, key: str) -> Iterator[Any]:
    if isinstance(node, dict):
        if isinstance(node.get(key), str):
            yield node[key]
        for inner in node.values():
            yield from _values_of(inner, key)
    elif isinstance(node, list):
        for inner in node:
            yield from _values_of(inner, key)
