"""What a page reads from an answer: names and kinds of values, checked in answers and in the document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.contracts.operations import Json, resolved

MOMENT_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
DAY_TEXT = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Kind:
    """One kind of value, and the OpenAPI types that may hold it."""

    name: str
    holds: Callable[[Any], bool]
    types: tuple[str, ...]


@dataclass(frozen=True)
class Maybe:
    """`of`, or null."""

    of: Shape


ABSENT = object()
Shape = Kind | Maybe | dict[str, Any] | list[Any]

TEXT = Kind("text", lambda value: isinstance(value, str), ("string",))
FULL = Kind("text that is not empty", lambda value: isinstance(value, str) and value != "", ("string",))
COUNT = Kind("a whole number from 0", lambda value: type(value) is int and value >= 0, ("integer",))
WHOLE = Kind("a whole number", lambda value: type(value) is int, ("integer",))
NUMBER = Kind("a number", lambda value: type(value) in {int, float}, ("number", "integer"))
FLAG = Kind("true or false", lambda value: type(value) is bool, ("boolean",))
MOMENT = Kind(
    "a moment in UTC",
    lambda value: isinstance(value, str) and bool(MOMENT_TEXT.fullmatch(value)),
    ("string",),
)
DAY = Kind("a date", lambda value: isinstance(value, str) and bool(DAY_TEXT.fullmatch(value)), ("string",))
OBJECT = Kind("an object", lambda value: isinstance(value, dict), ("object",))
NOTHING = Kind("null", lambda value: value is None, ())


def words(*allowed: str) -> Kind:
    """One of these words."""
    return Kind(f"one of {allowed}", lambda value: value in allowed, ("string",))


def misread(value: Any, shape: Shape, where: str = "data") -> Iterator[str]:
    """Every place where a page that reads `shape` would stumble over `value`."""
    if isinstance(shape, Maybe):
        if value is not None:
            yield from misread(value, shape.of, where)
    elif isinstance(shape, Kind):
        if not shape.holds(value):
            yield f"{where} is {value!r}, not {shape.name}"
    elif not isinstance(value, type(shape)):
        yield f"{where} is {value!r}, not {'an object' if isinstance(shape, dict) else 'a list'}"
    else:
        for inner, below, place in _members(value, shape, where):
            yield from [f"{place} is missing"] if inner is ABSENT else misread(inner, below, place)


def undeclared(schema: Json, shape: Shape, where: str = "data") -> Iterator[str]:
    """Every place where the document promises less than `shape`, or something else."""
    schema = _plain(schema)
    if isinstance(shape, Maybe):
        if not schema.get("nullable"):
            yield f"{where} may be null, and the document does not say so"
        yield from undeclared(schema, shape.of, where)
    elif isinstance(shape, Kind):
        if shape.types and "type" in schema and schema["type"] not in shape.types:
            yield f"{where} is declared as {schema['type']}, not as {shape.name}"
    elif isinstance(shape, dict):
        yield from _undeclared_members(schema, shape, where)
    elif schema.get("type") != "array":
        yield f"{where} is declared as {schema.get('type')}, not as a list"
    else:
        yield from undeclared(schema["items"], shape[0], f"{where}[]")


def _members(value: Any, shape: dict[str, Any] | list[Any], where: str) -> Iterator[tuple[Any, Shape, str]]:
    """What is inside an object or a list, beside what it should be."""
    if isinstance(shape, dict):
        for name, inner in shape.items():
            yield value.get(name, ABSENT), inner, f"{where}.{name}"
    else:
        for place, item in enumerate(value):
            yield item, shape[0], f"{where}[{place}]"


def _undeclared_members(schema: Json, shape: dict[str, Any], where: str) -> Iterator[str]:
    for name, inner in shape.items():
        if name in schema.get("properties", {}):
            yield from undeclared(schema["properties"][name], inner, f"{where}.{name}")
        elif "additionalProperties" not in schema:
            yield f"{where}.{name} is not in the document"


def _plain(schema: Json) -> Json:
    """The schema behind references, and behind the `allOf` or `anyOf` that makes one nullable."""
    schema = resolved(schema)
    for key in ("allOf", "anyOf"):
        if key in schema:
            nullable = any(one.get("nullable") for one in (schema, *schema[key]))
            meant = next((one for one in schema[key] if "$ref" in one), schema[key][0])
            return {**_plain(meant), **({"nullable": True} if nullable else {})}
    return schema
