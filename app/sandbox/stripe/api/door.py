"""What every call goes through: key, version, faults, parameters, idempotency, expansion, and the record."""

import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, request

from app.sandbox.stripe.api.expansion import expanded
from app.sandbox.stripe.errors import Broken, Missing, Refusal, TooManyRequests, UnknownKey
from app.sandbox.stripe.events import API_VERSION, CAUSE, Cause
from app.sandbox.stripe.faults import API, Fault, Trouble
from app.sandbox.stripe.forms import Raw, decode
from app.sandbox.stripe.idempotency import Answered, fingerprint
from app.sandbox.stripe.ids import new_id
from app.sandbox.stripe.parameters import Reader, many, members, read_all, text
from app.sandbox.stripe.state import Stripe, stripe
from app.sandbox.stripe.store import Document

api = Blueprint("stripe-api", __name__, url_prefix="/stripe/v1")

Struck = Mapping[Trouble, Fault]


@dataclass(frozen=True)
class Call:
    """One request, understood: `wish` has its parameters, `number` the id in its path."""

    world: Stripe
    wish: Document
    number: str = ""
    other: str = ""  # a second id in the path

    def found(self, kind: str) -> Document:
        """The object that the path names. Raises Missing."""
        found = self.world.store.get(kind, self.number)
        if found is None:
            raise Missing(kind, self.number)
        return found

    def named(self, kind: str, param: str) -> Document:
        """The object that a parameter names. Raises Missing."""
        found = self.world.store.get(kind, self.wish[param])
        if found is None:
            raise Missing(kind, self.wish[param], param)
        return found


Work = Callable[[Call], Document]


def door(method: str, rule: str, *required: str, **readers: Reader) -> Callable[[Work], Work]:
    """Serve `method /v1<rule>` with this function; `<number>` in the rule is the id."""
    form = members(expand=many(text()), **readers)

    def serve(work: Work) -> Work:
        def view(number: str = "", other: str = "") -> Response:
            return _serve(work, form, required, (number, other))

        api.add_url_rule(rule, f"{method} {rule}".replace(".", "-"), view, methods=[method])
        return work

    return serve


@api.route("/<path:rest>", methods=["GET", "POST", "DELETE"])
def no_door(rest: str) -> Response:
    """Whatever this Stripe does not have."""

    refusal = Refusal(f"Unrecognized request URL ({request.method}: /v1/{rest}).")
    return _finished(404, json.dumps(refusal.envelope()), new_id("request"), {})


def _serve(work: Work, form: Reader, required: tuple[str, ...], numbers: tuple[str, str]) -> Response:
    world, request_id = stripe(), new_id("request")
    path = request.path.removeprefix("/stripe")
    struck = world.faults.take(API, f"{request.method} {path}")
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    raw: Raw = {}
    is_replayed = False
    token = CAUSE.set(Cause(request_id, key))
    try:
        raw = decode(request.get_data(as_text=True) if request.method == "POST" else _query())
        _require_entry(world, struck)
        wish = read_all(form, raw, required)
        call = Call(world, wish, *numbers)
        answered, is_replayed = _once(call, work, key, fingerprint(request.method, path, raw), struck)
    except Refusal as refusal:
        answered = Answered(refusal.status, json.dumps(refusal.envelope()))
    finally:
        CAUSE.reset(token)
    world.recorder.note(
        method=request.method,
        path=path,
        wish=raw,
        status=answered.status,
        key=key,
        request_id=request_id,
        is_replayed=is_replayed,
    )
    if Trouble.DROP_AFTER_ACCEPT in struck:
        _cut()
    replayed = {"Idempotent-Replayed": "true"} if is_replayed else {}
    body = answered.body
    if Trouble.MALFORMED_JSON in struck:
        body = body[: len(body) // 2]
    return _finished(answered.status, body, request_id, {"Idempotency-Key": key or ""} | replayed)


def _query() -> str:
    return request.query_string.decode()


def _require_entry(world: Stripe, struck: Struck) -> None:
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    if kind != "Bearer" or not key:
        raise UnknownKey("You did not provide an API key.")
    if key != world.account.secret_key or Trouble.HTTP_401 in struck:
        raise UnknownKey(f"Invalid API Key provided: {key[:8]}***{key[-4:]}")
    version = request.headers.get("Stripe-Version", API_VERSION)
    if version != API_VERSION:
        raise Refusal(f"Invalid Stripe API version: {version}")
    if Trouble.HTTP_429 in struck:
        raise TooManyRequests("Too many requests.", code="rate_limit")
    if Trouble.HTTP_500 in struck:
        raise Broken("An error occurred with our connection to the bank.")


def _once(call: Call, work: Work, key: str | None, print_: str, struck: Struck) -> tuple[Answered, bool]:
    keys = call.world.keys
    if key is not None:
        before = keys.claim(key, print_)
        if before is not None:
            return before, True
    try:
        if Trouble.LATENCY_MS in struck:
            time.sleep(struck[Trouble.LATENCY_MS].value / 1000)
        with call.world.store.changing():
            answered = _done(call, work)
            if Trouble.HTTP_500_AFTER in struck:
                broken = Broken("Sorry! There was an error while talking to one of our backends.")
                answered = Answered(broken.status, json.dumps(broken.envelope()))
            if key is not None:
                keys.answer(key, answered)
    except BaseException:
        if key is not None:
            keys.release(key)
        raise
    return answered, False


def _done(call: Call, work: Work) -> Answered:
    wishes = call.wish.pop("expand", None) or []
    try:
        body = expanded(call.world, work(call), wishes)
    except Refusal as refusal:
        if not refusal.is_final:
            raise
        return Answered(refusal.status, json.dumps(refusal.envelope()))
    return Answered(200, json.dumps(body, ensure_ascii=False))


def _finished(status: int, body: str, request_id: str, headers: Mapping[str, str]) -> Response:
    response = Response(body, status, mimetype="application/json")
    response.headers["Request-Id"] = request_id
    response.headers["Stripe-Version"] = API_VERSION
    for name, value in headers.items():
        if value:
            response.headers[name] = value
    return response


def _cut() -> None:
    """Close the connection without a word, as a fallen network does."""
    connection = request.environ.get("gunicorn.socket") or request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
