"""The carrier's API, as far as the product uses it, with the faults that are in force."""

import json
import socket
import time
import uuid
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, jsonify, make_response, request

from app.sandbox import queries
from app.sandbox.acceptance import Answer, accept
from app.sandbox.faults import Calls, Fault, FaultKind
from app.sandbox.state import sandbox

carrier = Blueprint("carrier", __name__)

Items = list[dict[str, Any]]
Faults = dict[FaultKind, Fault]


@carrier.before_request
def require_key() -> None:
    """401 without a key, 403 with another one."""
    key = request.headers.get("X-Mitto-API-Key")
    if not key:
        abort(401, "X-Mitto-API-Key is missing.")
    if key != sandbox().config.api_key:
        abort(403, "X-Mitto-API-Key is not known.")


@carrier.post("/api/v1.1/Messages/send")
def send_one() -> Response:
    """Send one text."""
    return _sending(lambda: [_object(request.get_json())], lambda answers: {"messages": answers})


@carrier.post("/api/v1.1/Messages/sendmessagesbulk")
def send_many() -> Response:
    """Send many texts, each with its own destination."""
    return _sending(_bulk_items, lambda answers: {"bulkId": str(uuid.uuid4()), "messages": answers})


@carrier.post("/api/v1.1/Messages/sendbulk")
def send_to_many() -> Response:
    """Send one text to many destinations (the older way)."""
    return _sending(_items_of_one_text, lambda answers: {"messages": answers})


@carrier.get("/api/v1.1/Messages/<message_id>")
@carrier.get("/api/v1/Messages/<message_id>")
def look_up(message_id: str) -> Response:
    """One message and its delivery status."""
    faults = sandbox().faults.take(Calls.LOOKUP)
    refusal = _trouble_before(faults)
    if refusal is not None:
        return refusal
    row = queries.find_message(sandbox().store, message_id)
    if row is None:
        abort(404, "Message not found.")
    return _trouble_after(faults) or jsonify(queries.as_carrier_message(row))


@carrier.get("/api/v1/trafficAccounts")
def traffic_accounts() -> Response:
    """The accounts of this key: one."""
    return jsonify([{"id": sandbox().config.traffic_account_id, "name": "Sandbox", "type": "SMS"}])


@carrier.get("/api/v1/Webhooks")
def list_webhooks() -> Response:
    """The registered callbacks."""
    return jsonify(queries.webhooks(sandbox().store))


@carrier.post("/api/v1/Webhooks")
def register_webhook() -> tuple[Response, int]:
    """Register a callback."""
    return _keep_webhook(str(uuid.uuid4())), 201


@carrier.put("/api/v1/Webhooks/<uuid:webhook_id>")
def replace_webhook(webhook_id: uuid.UUID) -> Response:
    """Replace a callback."""
    _require_webhook(str(webhook_id))
    return _keep_webhook(str(webhook_id))


@carrier.delete("/api/v1/Webhooks/<uuid:webhook_id>")
def remove_webhook(webhook_id: uuid.UUID) -> tuple[str, int]:
    """Remove a callback. One that is linked to an account needs ?forceDelete=true."""
    hook = _require_webhook(str(webhook_id))
    if hook.get("linkTrafficAccountIds") and request.args.get("forceDelete") != "true":
        abort(400, "The webhook is linked to a traffic account.")
    sandbox().store.delete_webhook(str(webhook_id))
    return "", 204


def _sending(read_items: Callable[[], Items], envelope: Callable[[list[Answer]], dict[str, Any]]) -> Response:
    """Every send call: trouble before, acceptance, trouble after, and at least the configured latency."""
    started = time.monotonic()
    faults = sandbox().faults.take(Calls.SEND)
    refusal = _trouble_before(faults)
    if refusal is not None:
        return refusal
    refused = faults.get(FaultKind.REFUSE_ITEMS)
    answers = accept(sandbox(), read_items(), refused_share=refused.share if refused else 0.0)
    # The wait comes after acceptance: a client that dies meanwhile has sent, and does not know it.
    time.sleep(max(0.0, started + sandbox().config.latency_ms / 1000 - time.monotonic()))
    return _trouble_after(faults) or jsonify(envelope(_muddled(answers, faults)))


def _trouble_before(faults: Faults) -> Response | None:
    """Faults that strike before anything is accepted. Returns the answer if there is one already."""
    if FaultKind.DROP_BEFORE_READ in faults:
        return _hang_up()
    if FaultKind.LATENCY_MS in faults:
        time.sleep(faults[FaultKind.LATENCY_MS].value / 1000)
    if FaultKind.HTTP_429 in faults:
        answer = make_response(jsonify(message="Too many requests."), 429)
        if faults[FaultKind.HTTP_429].retry_after is not None:
            answer.headers["Retry-After"] = str(faults[FaultKind.HTTP_429].retry_after)
        return answer
    if FaultKind.HTTP_500_BEFORE_ACCEPT in faults:
        return make_response(jsonify(message="Something broke before acceptance."), 500)
    return None


def _trouble_after(faults: Faults) -> Response | None:
    """Faults that spoil the answer to something that has been done."""
    if FaultKind.HANG_SECONDS in faults:
        time.sleep(faults[FaultKind.HANG_SECONDS].value)
    if FaultKind.HTTP_500_AFTER_ACCEPT in faults:
        return make_response(jsonify(message="Something broke after acceptance."), 500)
    if FaultKind.DROP_AFTER_ACCEPT in faults:
        return _hang_up()
    if FaultKind.MALFORMED_JSON in faults:
        return Response('{"messages": [{"messageId": "01K', mimetype="application/json")
    return None


def _muddled(answers: list[Answer], faults: Faults) -> list[Answer]:
    if FaultKind.TRUNCATE_MESSAGES in faults:
        answers = answers[: max(0, len(answers) - int(faults[FaultKind.TRUNCATE_MESSAGES].value))]
    return answers[::-1] if FaultKind.REORDER_MESSAGES in faults else answers


def _hang_up() -> Response:
    """Close the connection: the caller gets not one byte of an answer."""
    # Both servers that run this app hand out the socket, each under its own name.
    connection: socket.socket = request.environ.get("gunicorn.socket") or request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    answer = Response(status=500)
    answer.headers["Connection"] = "close"
    return answer


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        abort(400, "A message must be an object.")
    return body


def _bulk_items() -> Items:
    return _checked(_object(request.get_json()).get("messages"))


def _items_of_one_text() -> Items:
    body = _object(request.get_json())
    destinations = body.get("destinations")
    if not isinstance(destinations, list):
        abort(400, "destinations must be a list.")
    shared = {"trafficAccountId": body.get("trafficAccountId"), "sms": body.get("sms")}
    return _checked([shared | {"destination": destination} for destination in destinations])


def _checked(items: Any) -> Items:
    """The items, or 400 with nothing accepted."""
    if not isinstance(items, list) or not items:
        abort(400, "messages must be a list with at least one message.")
    if len(items) > sandbox().config.bulk_max:
        abort(400, f"At most {sandbox().config.bulk_max} messages are allowed in one call.")
    if not all(isinstance(item, dict) for item in items):
        abort(400, "Every message must be an object.")
    return items


def _keep_webhook(webhook_id: str) -> Response:
    body = _object(request.get_json())
    if not str(body.get("url", "")).startswith(("http://", "https://")):
        abort(400, "url must be an http or https address.")
    sandbox().store.put_webhook(webhook_id, json.dumps(body))
    return jsonify({"id": webhook_id} | body)


def _require_webhook(webhook_id: str) -> dict[str, Any]:
    for hook in queries.webhooks(sandbox().store):
        if hook["id"] == webhook_id:
            return hook
    abort(404, "Webhook not found.")
