"""What a query costs: objects 1, connections by page size, mutations 10, scalars nothing (shopify.dev).

How the page size counts is not written down. It is less than the size: 250 variants with an object each were
priced at 24 (community.shopify.dev, thread 23101), which twice the natural logarithm gives.
"""

from collections.abc import Mapping
from math import ceil, log
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)

from app.sandbox.shopify.graph.paging import PAGE_DEFAULT

MUTATION_POINTS = 10
QUERY_MAX = 1000
WRAPPERS = {"edges", "nodes", "node", "pageInfo", "userErrors"}  # paid for by the field around them


def requested(
    document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> int:
    """The price before it is run."""
    if operation.operation is OperationType.MUTATION:
        return MUTATION_POINTS * len(operation.selection_set.selections)
    fragments = {
        one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
    }
    return _price(operation.selection_set, fragments, variables)


def actual(result: Any, asked: int, *, is_mutation: bool) -> int:
    """The price of what came out, never more than was asked."""
    return asked if is_mutation else min(asked, _objects(result))


def _price(
    selections: SelectionSetNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> int:
    total = 0
    for one in selections.selections:
        if isinstance(one, FragmentSpreadNode):
            total += _price(fragments[one.name.value].selection_set, fragments, variables)
        elif isinstance(one, InlineFragmentNode):
            total += _price(one.selection_set, fragments, variables)
        elif isinstance(one, FieldNode) and one.selection_set:
            inner = _price(one.selection_set, fragments, variables)
            size = _page_size(one, variables)
            own = 0 if one.name.value in WRAPPERS else 1
            total += inner + own if size is None else _times(size) * (1 + inner)
    return total


def _times(size: int) -> int:
    return max(1, ceil(2 * log(size)))


def _page_size(field: FieldNode, variables: Mapping[str, Any]) -> int | None:
    for argument in field.arguments or ():
        if argument.name.value in ("first", "last"):
            value = argument.value
            if isinstance(value, VariableNode):
                return max(1, int(variables.get(value.name.value) or PAGE_DEFAULT))
            return max(1, int(value.value)) if isinstance(value, IntValueNode) else PAGE_DEFAULT
    inner = field.selection_set.selections if field.selection_set else ()
    names = {one.name.value for one in inner if isinstance(one, FieldNode)}
    return PAGE_DEFAULT if names & {"edges", "nodes"} else None


def _objects(result: Any) -> int:
    if isinstance(result, Mapping):
        return sum(
            (0 if name in WRAPPERS else int(isinstance(value, Mapping))) + _objects(value)
            for name, value in result.items()
        )
    if isinstance(result, list):
        return sum(1 + _objects(one) for one in result if isinstance(one, Mapping))
    return 0
