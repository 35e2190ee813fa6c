"""`POST /shopify/<shop>/admin/api/<version>/graphql.json`."""

import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, jsonify, request
from graphql import (
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from app.sandbox.shopify import shops, tokens
from app.sandbox.shopify.faults import API, Fault, Trouble
from app.sandbox.shopify.graph import (
    bulk_fields,
    cost,
    customer_fields,
    discount_fields,
    order_fields,
    shop_fields,
    subscription_fields,
)
from app.sandbox.shopify.graph.asked import Asked
from app.sandbox.shopify.graph.schema import SCHEMA
from app.sandbox.shopify.state import Shopify, shopify

endpoint = Blueprint("shopify-graphql", __name__, url_prefix="/shopify")

MODULES = (
    shop_fields,
    subscription_fields,
    customer_fields,
    order_fields,
    bulk_fields,
    discount_fields,
)
QUERY = {name: resolve for module in MODULES for name, resolve in getattr(module, "QUERY", {}).items()}
MUTATION = {name: resolve for module in MODULES for name, resolve in getattr(module, "MUTATION", {}).items()}
VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10", "2027-01", "unstable")
RATE_LIMITS = "https://shopify.dev/api/usage/rate-limits"
STATUS_FAULTS = {
    Trouble.HTTP_500: (500, {"errors": "Internal Server Error"}),
    Trouble.HTTP_429: (429, {"errors": "Exceeded rate limit"}),
    Trouble.HTTP_401: (401, {"errors": "[API] Invalid API key or access token"}),
    Trouble.HTTP_402: (402, {"errors": "Unavailable Shop"}),
}
Answer = tuple[int, dict[str, Any]]


@endpoint.post("/<shop>/admin/api/<version>/graphql.json")
def graphql(shop: str, version: str) -> Response:
    """Check the token, the price and the document, then run it. Everything is recorded."""
    world = shopify()
    body = request.get_json(silent=True)
    wish = body if isinstance(body, dict) else {}
    document = _parsed(str(wish.get("query", "")))
    name = _name(document, wish)
    struck = world.faults.take(API, shop, name)
    if Trouble.LATENCY_MS in struck:
        time.sleep(struck[Trouble.LATENCY_MS].value / 1000)
    status, answer = _answer(world, shop, version, document, wish, struck)
    world.recorder.note(
        kind="graphql",
        shop=shop,
        operation=name,
        variables=wish.get("variables") or {},
        status=status,
        errors=answer.get("errors"),
        cost=answer.get("extensions", {}).get("cost"),
    )
    response = jsonify(answer)
    response.status_code = status
    if Trouble.DROP_AFTER_ACCEPT in struck:
        response.status_code, response.data = 502, b"Bad Gateway"
    if Trouble.MALFORMED_JSON in struck:
        response.data = response.data[: len(response.data) // 2]
    response.headers["X-Shopify-API-Version"] = version if version in VERSIONS else VERSIONS[0]
    return response


def _answer(
    world: Shopify,
    domain: str,
    version: str,
    document: DocumentNode | GraphQLError,
    wish: Mapping[str, Any],
    struck: Mapping[Trouble, Fault],
) -> Answer:
    for trouble, answer in STATUS_FAULTS.items():
        if trouble in struck:
            return answer
    if version not in VERSIONS and not re.fullmatch(r"20\d\d-(01|04|07|10)", version):
        return 404, {"errors": "Not Found"}
    try:
        shops.by_domain(world, domain)
    except shops.NoSuchShop:
        return 404, {"errors": "Not Found"}
    access = tokens.access_of(world, domain, request.headers.get("X-Shopify-Access-Token", ""))
    if access is None:
        return 401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}
    if Trouble.GRAPHQL_ERROR in struck:
        fault = struck[Trouble.GRAPHQL_ERROR]
        return 200, {"errors": [{"message": fault.message, "extensions": {"code": fault.code}}]}
    base_url = f"{request.host_url}shopify/{domain}"
    asked = Asked(world, access, base_url, customer_fields.by_number, struck.get(Trouble.USER_ERRORS))
    return _checked(asked, document, wish, is_throttled=Trouble.THROTTLE in struck)


def _checked(
    asked: Asked, document: DocumentNode | GraphQLError, wish: Mapping[str, Any], *, is_throttled: bool
) -> Answer:
    if isinstance(document, GraphQLError):
        return 200, {"errors": [document.formatted]}
    if errors := _validated(document):
        return 200, {"errors": [error.formatted for error in errors]}
    operation = get_operation_ast(document, wish.get("operationName"))
    if operation is None:
        return 200, {"errors": [{"message": "An operation name is required"}]}
    variables = wish.get("variables") or {}
    points = cost.requested(document, operation, variables)
    if points > cost.QUERY_MAX:
        message = f"Query cost is {points}, which exceeds the single query max cost limit ({cost.QUERY_MAX})."
        return 200, {"errors": [{"message": message, "extensions": {"code": "MAX_COST_EXCEEDED"}}]}
    world, domain = asked.world, asked.shop.domain
    if is_throttled:
        world.buckets.empty(domain)
    if is_throttled or not world.buckets.take(domain, points):
        extensions = {"code": "THROTTLED", "documentation": RATE_LIMITS}
        error = {"message": "Throttled", "extensions": extensions}
        return 200, {"errors": [error], "extensions": {"cost": _cost(asked, points, None)}}
    return _run(asked, document, operation, wish, points)


def _run(
    asked: Asked,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    wish: Mapping[str, Any],
    points: int,
) -> Answer:
    is_mutation = operation.operation is OperationType.MUTATION
    result = execute_sync(
        SCHEMA,
        document,
        root_value=MUTATION if is_mutation else QUERY,
        context_value=asked,
        variable_values=wish.get("variables") or {},
        operation_name=wish.get("operationName"),
    )
    spent = cost.actual(result.data, points, is_mutation=is_mutation)
    asked.world.buckets.give_back(asked.shop.domain, points - spent)
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
    answer["extensions"] = {"cost": _cost(asked, points, spent)}
    return 200, answer


def _cost(asked: Asked, points: int, spent: int | None) -> dict[str, Any]:
    status = asked.world.buckets.status(asked.shop.domain)
    return {"requestedQueryCost": points, "actualQueryCost": spent, "throttleStatus": status}


def _name(document: DocumentNode | GraphQLError, wish: Mapping[str, Any]) -> str:
    if isinstance(document, GraphQLError):
        return ""
    operation = get_operation_ast(document, wish.get("operationName"))
    return operation.name.value if operation and operation.name else ""


@lru_cache(maxsize=256)
def _parsed(text: str) -> DocumentNode | GraphQLError:
    try:
        return parse(text)
    except GraphQLError as error:
        return error


@lru_cache(maxsize=256)
def _validated(document: DocumentNode) -> tuple[GraphQLError, ...]:
    return tuple(validate(SCHEMA, document))
