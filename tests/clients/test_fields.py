"""The document promises every field that W and S read, with the kind of value that they need."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.clients.pages import EMBEDDED, WEB
from tests.clients.shapes import Kind, Maybe, undeclared
from tests.contracts.operations import Operation, operations, resolved

UNNAMED = re.compile(r"{\w+}")
# Not in the envelope (contract §4).
BARE = {"GET /whoami"}
READS = [(client, name) for client, reads in (("W", WEB), ("S", EMBEDDED)) for name in reads]


@pytest.mark.parametrize(("client", "name"), READS)
def test_the_document_promises_what_the_client_reads(client: str, name: str) -> None:
    shape = {"W": WEB, "S": EMBEDDED}[client][name]

    assert list(undeclared(_answer_of(name), shape)) == []


def test_a_shape_that_the_document_does_not_keep_is_noticed() -> None:
    text = Kind("text", lambda value: isinstance(value, str), ("string",))
    schema: Any = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}

    found = list(undeclared(schema, {"a": text, "b": Maybe(text), "c": text}))

    assert found == [
        "data.a is declared as integer, not as text",
        "data.b may be null, and the document does not say so",
        "data.c is not in the document",
    ]


def _answer_of(name: str) -> Any:
    """The schema of what the client receives from the operation of this name."""
    declared = _operation(name).declared["responses"]
    status = next(status for status in ("200", "201") if status in declared)
    envelope = resolved(declared[status]["content"]["application/json"]["schema"])
    return envelope if name in BARE else resolved(envelope["properties"]["data"])


def _operation(name: str) -> Operation:
    wanted = UNNAMED.sub("{}", name)
    found = [one for one in operations() if UNNAMED.sub("{}", one.name) == wanted]
    assert found, f"{name} is not in the document"
    return found[0]
