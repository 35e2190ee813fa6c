"""What a caller may send who wants to see a 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.contracts.operations import Json, Operation, resolved

JSON = "application/json"
SURROGATE = "\ud800"
LONG_NUMBER = "9" * 5_000
NULS = ("\x00", "a\x00b")
TEXTS = ("", *NULS, SURROGATE, "😀" * 300, "x" * 70_000, "' OR 1=1 --", "%s%(a)s{{x}}{0}", LONG_NUMBER)
NUMBERS = (-1, 0, 2**31, 2**63, 10**40, 1e308, float("nan"), float("inf"), -0.5)
STRUCTURES: tuple[Any, ...] = ([], {}, [[]], [None], [{}], {"": None}, {"a": {"b": ["c"]}}, ["x"] * 2_000)
UNSTORABLE: tuple[Any, ...] = ([*NULS, 1, None], {SURROGATE: 1})
VALUES: tuple[Any, ...] = (None, True, False, *TEXTS, *NUMBERS, *STRUCTURES, *UNSTORABLE)
RAW_BODIES: tuple[tuple[bytes, str], ...] = (
    (b"", JSON),
    (b"   ", JSON),
    (b"{", JSON),
    (b"null", JSON),
    (b"[]", JSON),
    (b'"text"', JSON),
    (b"12", JSON),
    (b"NaN", JSON),
    (b'{"a": 1, "a": 2}', JSON),
    (b"\xff\xfe\x00", JSON),
    ('{"name": "x"}'.encode("utf-16"), JSON),
    (b'{"name": "\\ud800"}', JSON),
    (b'{"name": "\\u0000"}', JSON),
    (b"[" * 100_000 + b"]" * 100_000, JSON),
    (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, JSON),
    (b'{"n": ' + LONG_NUMBER.encode() + b"}", JSON),
    (b'{"n": 1e999}', JSON),
    (b"{}", "text/plain"),
    (b"{}", ""),
    (b"{}", "application/json; charset=no-such-charset"),
    (b"name=x&phone=1", "application/x-www-form-urlencoded"),
    (b"--x\r\n", "multipart/form-data"),
    (b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\n\x00", "multipart/form-data; boundary=x"),
    (b"<a/>", "application/xml"),
)
QUERY_TEXTS = (
    "",
    "%00",
    "a%00b",
    "%ff%fe",
    "%ED%A0%80",
    "-1",
    "0",
    "1.5",
    "1e9",
    "NaN",
    "999999999999",
    LONG_NUMBER,
    "٣",
    "x" * 3_000,
    "%25%5F%5C",
    "'%20OR%201%3D1",
    "[]",
    "null",
    "true",
    "%F0%9F%98%80",
)
PATH_NUMBERS = ("0", "-1", "٣", "9" * 19, "9" * 40, "segment:", f"segment:{LONG_NUMBER}")
PATH_TEXTS = (*PATH_NUMBERS, "%00", "a%00b", "%ff", "x" * 3_000, "%F0%9F%98%80", "..")


def bodies(operation: Operation) -> Iterator[tuple[bytes, str]]:
    """Raw nonsense, then every hostile value in every declared property, two levels deep."""
    yield from RAW_BODIES
    if operation.body_schema is None:
        return
    for document in documents(resolved(operation.body_schema)):
        yield json.dumps(document).encode("utf-8", "surrogatepass"), JSON


def documents(schema: Json, depth: int = 2) -> Iterator[Any]:
    properties: Json = schema.get("properties", {})
    usual = {name: usual_value(resolved(inner)) for name, inner in properties.items()}
    yield usual
    for name, inner in properties.items():
        for value in VALUES:
            yield {**usual, name: value}
        below = resolved(inner)
        items = resolved(below.get("items", {}))
        if depth > 1 and below.get("properties"):
            yield from ({**usual, name: value} for value in documents(below, depth - 1))
        elif depth > 1 and items.get("properties"):
            yield from ({**usual, name: [value]} for value in documents(items, depth - 1))
        elif items:
            yield from ({**usual, name: [value]} for value in VALUES)


def usual_value(schema: Json) -> Any:
    """Something that the declared type allows, so that the other properties are reached."""
    if "example" in schema:
        return schema["example"]
    if schema.get("enum"):
        return schema["enum"][0]
    plain = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}
    return plain.get(str(schema.get("type")))


def queries(operation: Operation) -> Iterator[str]:
    for parameter in operation.query_parameters:
        name = parameter["name"]
        yield from (f"{name}={text}" for text in QUERY_TEXTS)
        yield f"{name}=1&{name}=2"
        yield f"{name}[]=1&{name}[a]=2"
    yield "%00=%00&&&=&a"
