"""Every GraphQL document in the product is one that Shopify understands, as far as the sandbox knows it."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import get_operation_ast, parse, validate

from app.sandbox.shopify.graph import cost
from app.sandbox.shopify.graph.schema import SCHEMA

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = re.compile(r"\s*(?:(?:query|mutation)\s+\w+\s*[({]|(?:query\s*)?\{\s*(?:customers|orders)\b)")


def documents() -> Iterator[tuple[str, str]]:
    """(where, text) of every constant of a module that is a document."""
    for path in sorted((ROOT / "app").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "sandbox" in path.parts or not re.search(r'"""\s*(query|mutation|\{)', text):
            continue
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for constant, value in vars(importlib.import_module(name)).items():
            if isinstance(value, str) and DOCUMENT.match(value):
                yield f"{name}.{constant}", value


FOUND = list(documents())


@pytest.mark.parametrize("text", [text for _, text in FOUND], ids=[where for where, _ in FOUND])
def test_shopify_understands_the_document(text: str):
    assert [error.message for error in validate(SCHEMA, parse(text))] == []


@pytest.mark.parametrize("text", [text for _, text in FOUND], ids=[where for where, _ in FOUND])
def test_the_document_costs_less_than_shopify_allows(text: str):
    document = parse(text)
    operation = get_operation_ast(document)
    assert operation
    assert cost.requested(document, operation, {}) <= cost.QUERY_MAX


def test_some_documents_were_found():
    assert len(FOUND) >= 4
