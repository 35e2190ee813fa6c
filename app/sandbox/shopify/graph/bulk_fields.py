"""Bulk operations: CREATED, RUNNING, COMPLETED, and the ways in which they end otherwise.

shopify.dev: five at a time, results are kept for seven days, `groupObjects` is false unless asked for.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from typing import IO, Any

from graphql import GraphQLError, parse, validate

from app.sandbox.shopify.clock import local, zulu
from app.sandbox.shopify.faults import BULK, Trouble
from app.sandbox.shopify.gids import gid, number_of
from app.sandbox.shopify.graph import customer_fields, discount_fields, order_fields, projection
from app.sandbox.shopify.graph.asked import Asked, Info, refused
from app.sandbox.shopify.graph.paging import View
from app.sandbox.shopify.graph.schema import SCHEMA
from app.sandbox.shopify.state import Shopify

KIND = "bulk"
ROOTS = {
    "customers": (customer_fields.customers, "read_customers"),
    "orders": (order_fields.orders, "read_orders"),
    "codeDiscountNodes": (discount_fields.nodes, "read_discounts"),
}
UNDER_WAY = ("CREATED", "RUNNING", "CANCELING")
SCATTER = 50  # parents whose children are held back when objects are not grouped
REPORT_EVERY = 5000


def operation(info: Info, id: str) -> View | None:
    """One of them, or null."""
    asked: Asked = info.context
    body = asked.world.store.get(asked.shop.domain, KIND, number_of("BulkOperation", id) or 0)
    return view(asked, body) if body else None


def current(info: Info, type: str) -> View | None:
    """The last one that was started."""
    asked: Asked = info.context
    found = asked.world.store.changed_since(asked.shop.domain, KIND) if type == "QUERY" else []
    return view(asked, found[-1]) if found else None


def run(info: Info, query: str, groupObjects: bool | None = None) -> View:  # noqa: N803
    """Start one. It goes on behind the answer."""
    asked: Asked = info.context
    if asked.refusal:
        return _refusal(asked.refusal.message, asked.refusal.code)
    try:
        wanted = _read(asked, query)
    except (GraphQLError, projection.NotABulkQuery) as error:
        return _refusal(str(error), "INVALID")
    switches = asked.world.switches.now
    open_ones = [one for one in _all(asked) if one["status"] in UNDER_WAY]
    if len(open_ones) >= switches.bulk_concurrency:
        message = "A bulk query operation for this app and shop is already in progress"
        return _refusal(message, "OPERATION_IN_PROGRESS")
    struck = asked.world.faults.take(BULK, asked.shop.domain, wanted.name)
    body: View = {
        "id": asked.world.store.take_numbers("BulkOperation"),
        "status": "CREATED",
        "query": query,
        "error_code": None,
        "created_at": asked.world.clock.now(),
        "completed_at": None,
        "objects": 0,
        "roots": 0,
        "file_size": None,
        "partial": False,
        "signature": secrets.token_hex(16),
    }
    _put(asked, body)
    is_grouped = switches.bulk_group_objects if groupObjects is None else groupObjects
    asked.world.workshop.submit(lambda: _work(asked, body["id"], wanted, set(struck), is_grouped=is_grouped))
    return {"bulkOperation": view(asked, body), "userErrors": []}


def cancel(info: Info, id: str) -> View:
    """Stop it as soon as it looks up."""
    asked: Asked = info.context
    body = asked.world.store.get(asked.shop.domain, KIND, number_of("BulkOperation", id) or 0)
    if body is None:
        return {"bulkOperation": None, "userErrors": [refused("Bulk operation does not exist", "id")]}
    if body["status"] in UNDER_WAY:
        body["status"] = "CANCELING"
        _put(asked, body)
    return {"bulkOperation": view(asked, body), "userErrors": []}


def view(asked: Asked, body: View) -> View:
    """An operation as GraphQL shows it. Its address is signed; no token is needed to read from it."""
    url = f"{asked.base_url}/bulk/{body['id']}.jsonl?signature={body['signature']}"
    has_file = body["status"] == "COMPLETED" and body["objects"] > 0
    return {
        "id": gid("BulkOperation", body["id"]),
        "status": body["status"],
        "type": "QUERY",
        "query": body["query"],
        "errorCode": body["error_code"],
        "createdAt": zulu(body["created_at"]),
        "completedAt": zulu(body["completed_at"]) if body["completed_at"] else None,
        "objectCount": str(body["objects"]),
        "rootObjectCount": str(body["roots"]),
        "fileSize": None if body["file_size"] is None else str(body["file_size"]),
        "url": url if has_file else None,
        "partialDataUrl": url if body["partial"] else None,
    }


def file_name(number: int) -> str:
    """What the workshop calls a result."""
    return f"{number}.jsonl"


def _read(asked: Asked, query: str) -> projection.Wanted:
    document = parse(query)
    errors = validate(SCHEMA, document)
    if errors:
        raise errors[0]
    wanted = projection.read(document)
    if wanted.name not in ROOTS:
        raise projection.NotABulkQuery(f"The sandbox cannot export {wanted.name}.")
    asked.require(ROOTS[wanted.name][1])
    return wanted


def _work(
    asked: Asked, number: int, wanted: projection.Wanted, struck: set[Trouble], *, is_grouped: bool
) -> None:
    world = asked.world
    if not world.workshop.pause(world.switches.now.bulk_seconds):
        return
    body = _read_again(asked, number)
    if body is None:
        return
    if body["status"] == "CANCELING":
        _finish(asked, body, "CANCELED", struck)
        return
    body["status"] = "RUNNING"
    _put(asked, body)
    if Trouble.BULK_STUCK in struck:
        return
    if Trouble.BULK_EXPIRED in struck:
        _finish(asked, body, "EXPIRED", struck)
        return
    try:
        _write(asked, body, wanted, is_grouped=is_grouped)
    except Exception as error:  # a bug of the sandbox shows as a failed operation, not as a silent thread
        body["error_message"] = repr(error)
        body["error_code"] = "INTERNAL_SERVER_ERROR"
        _finish(asked, body, "FAILED", struck)
        raise
    if Trouble.BULK_FAILED in struck:
        _fail(world, body)
        _finish(asked, body, "FAILED", struck)
        return
    _finish(asked, body, "CANCELED" if _is_canceled(asked, body) else "COMPLETED", struck)


def _write(asked: Asked, body: View, wanted: projection.Wanted, *, is_grouped: bool) -> None:
    path = asked.world.workshop.file(file_name(body["id"]))
    source = projection.lines(asked, ROOTS[wanted.name][0], wanted)
    with path.open("wb") as file:
        for line in _ordered(source, body, is_grouped=is_grouped):
            file.write(_encoded(line))
            body["objects"] += 1
            if body["objects"] % REPORT_EVERY == 0:
                if _is_canceled(asked, body):
                    break
                _put(asked, body)
    body["file_size"] = path.stat().st_size


def _ordered(
    source: Iterator[tuple[dict[str, Any], list[dict[str, Any]]]], body: View, *, is_grouped: bool
) -> Iterator[dict[str, Any]]:
    """Parents and children; when not grouped, children come some parents later, the last ones first."""
    held: list[dict[str, Any]] = []
    for line, children in source:
        body["roots"] += 1
        yield line
        held = [*children, *held]
        if is_grouped or body["roots"] % SCATTER == 0:
            yield from held
            held = []
    yield from held


def _encoded(line: dict[str, Any]) -> bytes:
    # Shopify writes every slash with a backslash before it.
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
    return text.encode() + b"\n"


def _fail(world: Shopify, body: View) -> None:
    """Half of the lines are there, in a file of their own."""
    path = world.workshop.file(file_name(body["id"]))
    half = body["objects"] // 2
    kept = path.with_suffix(".part")
    with path.open("rb") as whole, kept.open("wb") as part:
        _copy_lines(whole, part, half)
    kept.replace(path)
    body.update(objects=half, partial=half > 0, file_size=path.stat().st_size)
    body["error_code"] = "INTERNAL_SERVER_ERROR"


def _copy_lines(whole: IO[bytes], part: IO[bytes], count: int) -> None:
    for _ in range(count):
        part.write(whole.readline())


def _finish(asked: Asked, body: View, status: str, struck: set[Trouble]) -> None:
    world, shop = asked.world, asked.shop
    body.update(status=status, completed_at=world.clock.now())
    _put(asked, body)
    if Trouble.BULK_SILENT in struck:
        return
    told = {
        "admin_graphql_api_id": gid("BulkOperation", body["id"]),
        "completed_at": local(body["completed_at"], shop.timezone),
        "created_at": local(body["created_at"], shop.timezone),
        "error_code": body["error_code"].lower() if body["error_code"] else None,
        "status": status.lower(),
        "type": "query",
    }
    world.emitter.emit(shop.domain, "bulk_operations/finish", told)


def _all(asked: Asked) -> list[View]:
    return asked.world.store.changed_since(asked.shop.domain, KIND)


def _read_again(asked: Asked, number: int) -> View | None:
    return asked.world.store.get(asked.shop.domain, KIND, number)


def _is_canceled(asked: Asked, body: View) -> bool:
    return (_read_again(asked, body["id"]) or body)["status"] == "CANCELING"


def _put(asked: Asked, body: View) -> None:
    asked.world.store.put(asked.shop.domain, KIND, body["id"], body, at=body["created_at"])


def _refusal(message: str, code: str) -> View:
    return {"bulkOperation": None, "userErrors": [refused(message, "query", code=code)]}


QUERY: dict[str, Callable[..., Any]] = {"bulkOperation": operation, "currentBulkOperation": current}
MUTATION: dict[str, Callable[..., Any]] = {"bulkOperationRunQuery": run, "bulkOperationCancel": cancel}
