"""What a bulk query asks of each object: its fields, and its connections as lines of their own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    value_from_ast_untyped,
)

from app.sandbox.shopify.graph.asked import Asked
from app.sandbox.shopify.graph.paging import PAGE_MAX, View

CONNECTIONS_MAX = 5
DEPTH_MAX = 2
Line = dict[str, Any]


class NotABulkQuery(ValueError):
    """The query cannot be run in bulk."""


@dataclass(frozen=True)
class Wanted:
    """One field of a selection. `inner` is asked of the object behind it, or of each node of a connection."""

    key: str
    name: str
    arguments: Mapping[str, Any]
    inner: "tuple[Wanted, ...]"
    is_connection: bool
    only_for: str | None  # a type condition


def read(document: DocumentNode) -> Wanted:
    """The connection at the root of a bulk query. Raises NotABulkQuery (shopify.dev: restrictions)."""
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    fragments = {
        one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
    }
    roots = tuple(_wanted(operations[0].selection_set, fragments, None))
    if len(roots) != 1:
        raise NotABulkQuery("Bulk queries must have exactly one top level field.")
    if not roots[0].is_connection:
        raise NotABulkQuery("Bulk queries must contain at least one connection.")
    found = list(_connections(roots, 1))
    if len(found) > CONNECTIONS_MAX:
        raise NotABulkQuery(f"Bulk queries cannot contain more than {CONNECTIONS_MAX} connections.")
    if max(found) > DEPTH_MAX:
        raise NotABulkQuery(
            f"Bulk queries cannot contain connections with a nesting depth greater than {DEPTH_MAX}."
        )
    return roots[0]


def lines(asked: Asked, resolve: Any, root: Wanted) -> Iterator[tuple[Line, list[Line]]]:
    """Each object of the root connection with its children's lines. Nothing is held but a page."""
    info = SimpleNamespace(context=asked)
    for node in _nodes(info, resolve, root):
        yield _line(info, node, root.inner, None)


def _line(info: Any, node: View, wanted: tuple[Wanted, ...], parent: str | None) -> tuple[Line, list[Line]]:
    line: Line = {}
    children: list[Line] = []
    for one in wanted:
        if one.only_for and node.get("__typename") != one.only_for:
            continue
        value = node.get(one.name)
        if one.is_connection:
            for child in _nodes(info, value, one):
                own, below = _line(info, child, one.inner, node["id"])
                children += [own, *below]
            continue
        line[one.key] = _value(info, value, one)
    if parent is not None:
        line["__parentId"] = parent
    return line, children


def _value(info: Any, value: Any, wanted: Wanted) -> Any:
    if callable(value):
        value = value(info, **wanted.arguments)
    if isinstance(value, list):
        return [_value(info, one, wanted) for one in value]
    if isinstance(value, Mapping) and wanted.inner:
        return _line(info, dict(value), wanted.inner, None)[0]
    return value


def _nodes(info: Any, resolve: Any, wanted: Wanted) -> Iterator[View]:
    # `first` and cursors of the query are ignored: all of it is wanted.
    arguments = {name: value for name, value in wanted.arguments.items() if name not in ("first", "after")}
    after: str | None = None
    while True:
        page = resolve(info, **arguments, first=PAGE_MAX, after=after)
        yield from page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def _wanted(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], only_for: str | None
) -> Iterator[Wanted]:
    for one in selections.selections:
        if isinstance(one, InlineFragmentNode):
            condition = one.type_condition.name.value if one.type_condition else only_for
            yield from _wanted(one.selection_set, fragments, condition)
        elif isinstance(one, FragmentSpreadNode):
            yield from _wanted(fragments[one.name.value].selection_set, fragments, only_for)
        elif isinstance(one, FieldNode):
            yield _field(one, fragments, only_for)


def _field(field: FieldNode, fragments: Mapping[str, FragmentDefinitionNode], only_for: str | None) -> Wanted:
    inner = tuple(_wanted(field.selection_set, fragments, None)) if field.selection_set else ()
    nodes = _behind(inner)
    return Wanted(
        key=field.alias.value if field.alias else field.name.value,
        name=field.name.value,
        arguments={one.name.value: value_from_ast_untyped(one.value) for one in field.arguments or ()},
        inner=inner if nodes is None else nodes,
        is_connection=nodes is not None,
        only_for=only_for,
    )


def _behind(inner: tuple[Wanted, ...]) -> tuple[Wanted, ...] | None:
    """What is asked of each node behind `edges { node { … } }` or `nodes { … }`; None without them."""
    for one in inner:
        if one.name == "nodes":
            return one.inner
        if one.name == "edges":
            return next((node.inner for node in one.inner if node.name == "node"), ())
    return None


def _connections(wanted: tuple[Wanted, ...], depth: int) -> Iterator[int]:
    for one in wanted:
        if one.is_connection:
            yield depth
        yield from _connections(one.inner, depth + one.is_connection)
