"""Lists of things: cursors, page sizes and the search syntax of `query:`."""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from app.sandbox.shopify.clock import seconds_of

PAGE_MAX = 250
PAGE_DEFAULT = 50
TERM = re.compile(r"""(\w+):(>=|<=|>|<|=)?("[^"]*"|'[^']*'|\S+)""")
COMPARISONS = {">=": ">=", "<=": "<=", ">": ">", "<": "<", "=": "=", "": "="}
BAD_REQUEST = {"code": "BAD_REQUEST"}

View = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A searchable column. `read` makes the value that the table holds."""

    sql: str
    read: Callable[[str], Any] = str


def moment_column(name: str) -> Column:
    """A column of seconds, searched by ISO-8601 instants."""
    return Column(name, seconds_of)


def page_size(first: int | None) -> int:
    """Shopify refuses more than 250 a page."""
    size = PAGE_DEFAULT if first is None else first
    if not 1 <= size <= PAGE_MAX:
        raise GraphQLError(f"first must be between 1 and {PAGE_MAX}", extensions=BAD_REQUEST)
    return size


def conditions(search: str | None, columns: Mapping[str, Column]) -> tuple[list[str], list[Any]]:
    """The SQL conditions of a search. A term that is not known here is an error, to be noticed."""
    text = (search or "").replace(" AND ", " ").strip()
    clauses: list[str] = []
    values: list[Any] = []
    if TERM.sub("", text).strip():
        raise GraphQLError(f"The sandbox does not understand the search {search!r}", extensions=BAD_REQUEST)
    for name, comparison, raw in TERM.findall(text):
        column = columns.get(name)
        if column is None:
            raise GraphQLError(f"The sandbox cannot search by {name}", extensions=BAD_REQUEST)
        try:
            values.append(column.read(raw.strip("\"'")))
        except ValueError as error:
            raise GraphQLError(f"{name}: {error}", extensions=BAD_REQUEST) from error
        clauses.append(f"{column.sql} {COMPARISONS[comparison]} ?")
    return clauses, values


def cursor_of(key: Sequence[Any]) -> str:
    """An opaque place in a list."""
    return base64.b64encode(json.dumps(list(key)).encode()).decode()


def place_of(cursor: str) -> list[Any]:
    """Read a cursor back."""
    try:
        found = json.loads(base64.b64decode(cursor, validate=True))
    except ValueError as error:
        raise GraphQLError("Invalid cursor", extensions=BAD_REQUEST) from error
    return list(found)


def connection(rows: Sequence[tuple[Sequence[Any], View]], size: int, after: str | None) -> View:
    """A page of (sort key, view) pairs, of which one more than `size` was fetched."""
    edges = [{"cursor": cursor_of(key), "node": view} for key, view in rows[:size]]
    return {
        "edges": edges,
        "nodes": [edge["node"] for edge in edges],
        "pageInfo": {
            "hasNextPage": len(rows) > size,
            "hasPreviousPage": after is not None,
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
    }


def page_of(views: Sequence[View], first: int | None, after: str | None = None) -> View:
    """A page of a short list that is at hand."""
    size = page_size(first)
    start = int(place_of(after)[0]) + 1 if after else 0
    rows = [((start + number,), view) for number, view in enumerate(views[start : start + size + 1])]
    return connection(rows, size, after)


@dataclass(frozen=True)
class Listing:
    """A table that is paged by (sort column, id)."""

    select: str  # ends inside its WHERE clause
    columns: Mapping[str, Column]
    sort_columns: Mapping[str, str]

    def page(
        self,
        fetch: Callable[[str, Sequence[Any]], Sequence[Any]],
        given: Sequence[Any],
        view: Callable[[Any], View],
        wish: Mapping[str, Any],
    ) -> View:
        """One page. `wish`: first, after, query, sortKey, reverse."""
        size = page_size(wish.get("first"))
        sort = self.sort_columns.get(wish.get("sortKey") or "ID")
        if sort is None:
            raise GraphQLError(f"The sandbox cannot sort by {wish['sortKey']}", extensions=BAD_REQUEST)
        clauses, values = conditions(wish.get("query"), self.columns)
        direction, beyond = ("DESC", "<") if wish.get("reverse") else ("ASC", ">")
        after = wish.get("after")
        if after:
            clauses.append(f"({sort}, id) {beyond} (?, ?)")
            values += place_of(after)
        where = "".join(f" AND {clause}" for clause in clauses)
        sql = f"{self.select}{where} ORDER BY {sort} {direction}, id {direction} LIMIT ?"
        rows = fetch(sql, [*given, *values, size + 1])
        column = "id" if sort == "id" else sort
        return connection([((row[column], row["id"]), view(row)) for row in rows], size, after)
