"""Every operation of the OpenAPI document, read once when the tests are collected. It needs no server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from app import create_app
from app.config import Settings
from tests.conftest import VALUES

NOBODY = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none", "REDIS_URL": "redis://127.0.0.1:9/0"}
METHODS = ("get", "post", "put", "patch", "delete")
Json = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One method of one path, with what it declares to take."""

    method: str
    path: str
    declared: Json = field(repr=False, hash=False, compare=False)
    path_parameters: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_public(self) -> bool:
        """Whether it is no tenant's: strangers, the carrier or the administrator may call it."""
        return {"bearer": []} not in self.declared.get("security", [{"bearer": []}])

    @property
    def query_parameters(self) -> list[Json]:
        return [one for one in self.declared.get("parameters", ()) if one["in"] == "query"]

    @property
    def body_schema(self) -> Json | None:
        """The schema of the JSON body, None when the operation declares none."""
        content = self.declared.get("requestBody", {}).get("content", {})
        schema: Json | None = content.get("application/json", {}).get("schema")
        return schema

    def address(self, **values: str) -> str:
        return self.path.format(**values)


@cache
def document() -> Json:
    """The OpenAPI document as the API serves it."""
    app = create_app(Settings.from_env({**VALUES, **NOBODY}))
    served: Json = app.test_client().get("/openapi.json").get_json()
    return served


def operations() -> list[Operation]:
    return list(_operations())


def tenant_operations() -> list[Operation]:
    return [operation for operation in operations() if not operation.is_public]


def resolved(schema: Json) -> Json:
    """The schema itself where `schema` only refers to a component."""
    reference = schema.get("$ref")
    return document()["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema


def _operations() -> Iterator[Operation]:
    for path, item in document()["paths"].items():
        names = tuple(one["name"] for one in item.get("parameters", ()) if one["in"] == "path")
        for method in METHODS:
            if method in item:
                yield Operation(method.upper(), path, item[method], names)
