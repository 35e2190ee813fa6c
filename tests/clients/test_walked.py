"""Every call of both clients is made by some walk: read from the walks themselves, whoever ran them.

A call that stands in a passing test under no condition, and not where a refusal is expected, was made; and
what it received was held against what the page reads (Browser.call).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.browser import Reads, named_as
from tests.clients.pages import EMBEDDED, WEB

METHODS = {"get": "GET", "post": "POST", "put": "PUT", "delete": "DELETE"}
CLIENTS = {"web": WEB, "embedded": EMBEDDED}
ANYTHING = "1"  # in the place of whatever a walk writes into a path


@pytest.mark.parametrize("client", CLIENTS)
def test_every_call_is_walked(client: str) -> None:
    reads = CLIENTS[client]

    assert sorted(set(reads) - walked(client, reads)) == [], "the pages make these calls and no walk does"


def test_a_call_under_a_condition_or_that_is_refused_is_no_walk() -> None:
    walk = ast.parse(
        "def test_walk(web):\n"
        "    shown = web.get(f'/contacts/{one}?x=1')\n"
        "    with pytest.raises(Rejected):\n"
        "        web.delete('/a')\n"
        "    if shown:\n"
        "        web.get('/b')\n"
        "    elsewhere.get('/c')\n"
        "    assert web.post('/d')['ok']\n"
    )

    assert list(calls_in(walk, "web")) == [("GET", "/contacts/1?x=1"), ("POST", "/d")]


def walked(client: str, reads: Reads) -> set[str]:
    """The names of the calls that the walks of a client make."""
    return {
        named_as(reads, method, path)
        for file in sorted(Path(__file__).parent.glob("test_*.py"))
        for method, path in calls_in(ast.parse(file.read_text(encoding="utf-8")), client)
        if file.name != Path(__file__).name
    }


def calls_in(tree: ast.Module, client: str) -> Iterator[tuple[str, str]]:
    for test in tree.body:
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
            for node in _certain(test):
                if _is_call_of(node, client):
                    yield METHODS[node.func.attr], _path(node.args[0])  # type: ignore[attr-defined]


def _certain(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is inside it, but for what may not happen."""
    yield node
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.If | ast.IfExp | ast.Lambda) or _expects_a_refusal(inner):
            continue
        yield from _certain(inner)


def _expects_a_refusal(node: ast.AST) -> bool:
    return isinstance(node, ast.With) and any("raises" in ast.unparse(one) for one in node.items)


def _is_call_of(node: ast.AST, client: str) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in METHODS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == client
    )


def _path(written: ast.expr) -> str:
    if isinstance(written, ast.JoinedStr):
        return "".join(
            str(one.value) if isinstance(one, ast.Constant) else ANYTHING for one in written.values
        )
    return str(written.value) if isinstance(written, ast.Constant) else ANYTHING
