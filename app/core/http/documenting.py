"""What the OpenAPI document says beyond routes and schemas: examples, error codes, credentials."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from app.core.errors import DomainError
from app.core.http.errors import CODES
from app.core.http.examples import example_of

Json = dict[str, Any]
METHODS = {"get", "post", "put", "patch", "delete"}
JSON_TYPE = "application/json"
USUAL = "VALIDATION_ERROR"
# What any operation with a body, a query or a credential may be refused for.
EVERYWHERE = ("app.core.errors", "app.core.http.arguments", "app.core.http.lifecycle")


def complete(paths: Mapping[str, Json], components: Json, routes: Mapping[str, str]) -> None:
    """Add to every operation an example of each body, and the codes of its refusals.

    `routes` says in which module the routes of a tag are; the refusals that the code behind them knows are
    those that its operations may give.
    """
    known = {module: codes_in(*sorted(modules_behind(module))) for module in set(routes.values())}
    everywhere = codes_in(*EVERYWHERE)
    for operation in operations_in(paths):
        own = next(known[routes[tag]] for tag in operation["tags"] if tag in routes)
        if "requestBody" in operation:
            _exemplify(operation["requestBody"], components)
        for status, response in operation["responses"].items():
            if status.isdigit() and int(status) >= 400:
                refusals = everywhere.get(int(status), {}) | own.get(int(status), {})
                _tell_codes(response, refusals or _bare(int(status)))
            _exemplify(response, components)


def operations_in(paths: Mapping[str, Json]) -> Iterator[Json]:
    for item in paths.values():
        yield from (operation for method, operation in item.items() if method in METHODS)


def codes_in(*modules: str) -> dict[int, dict[str, str]]:
    """By status: the codes of the refusals that these modules define or name, each with its sentence."""
    found: dict[int, dict[str, str]] = {}
    for module in modules:
        for one in vars(sys.modules[module]).values():
            if isinstance(one, type) and issubclass(one, DomainError) and one is not DomainError:
                found.setdefault(one.status, {})[one.code] = str(one.message)
    return found


def modules_behind(routes: str) -> set[str]:
    """The modules of a feature that its `routes` lead to, and what these use of other features.

    What only jobs and commands use is not among them.
    """
    feature = ".".join(routes.split(".")[:2])
    found: set[str] = set()
    waiting = {routes}
    while waiting:
        found |= waiting
        own = {module for module in waiting if f"{module}.".startswith(f"{feature}.")}
        waiting = {name for module in own for name in _used_by(module)} - found
    return found


def _used_by(module: str) -> Iterator[str]:
    """The modules of ours that a module has imported, or something out of them."""
    for known_as, one in vars(sys.modules[module]).items():
        if known_as.startswith("_"):  # what was handed in while running, and Python's own
            continue
        name = one.__name__ if isinstance(one, ModuleType) else getattr(one, "__module__", None)
        if isinstance(name, str) and name.startswith("app.") and name in sys.modules:
            yield name


def _bare(status: int) -> dict[str, str]:
    return {CODES.get(status, "ERROR"): "The request cannot be carried out."}


def _tell_codes(response: Json, refusals: Mapping[str, str]) -> None:
    """Name the codes where a reader of the document sees them, and show the first."""
    response["description"] = ", ".join(sorted(refusals))
    code = USUAL if USUAL in refusals else min(refusals)
    for media in response.get("content", {}).values():
        media["example"] = {"success": False, "error": code, "code": code, "message": refusals[code]}


def _exemplify(body: Json, components: Json) -> None:
    media = body.get("content", {}).get(JSON_TYPE)
    if media and "example" not in media and "examples" not in media:
        media["example"] = example_of(media.get("schema", {}), components)
