"""`/sandbox/stripe/…`: for tests and demonstrations, as JSON. No key: loopback only."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from app.sandbox.fault_list import BadTrouble
from app.sandbox.stripe import actions
from app.sandbox.stripe.actions import REFUSALS
from app.sandbox.stripe.state import stripe
from app.sandbox.switches import BadSwitch

control = Blueprint("stripe-control", __name__, url_prefix="/sandbox/stripe")

PAGE_MAX = 5000


@control.post("/do/<action>")
def act(action: str) -> Response:
    """Make something happen: the names are those of `actions.ACTIONS`."""
    return jsonify(actions.act(stripe(), action, _wish()))


@control.get("/objects/<kind>")
def list_objects(kind: str) -> Response:
    """All objects of a kind, newest first: ?limit=, and any member of theirs."""
    wanted: dict[str, Any] = {name: value for name, value in request.args.items() if name != "limit"}
    limit = min(request.args.get("limit", 100, type=int), PAGE_MAX)
    return jsonify(objects=stripe().store.page(kind, wanted, limit=limit))


@control.get("/objects/<kind>/<number>")
def show_object(kind: str, number: str) -> Response:
    """One object, and beside it what the API never shows of it."""
    found = stripe().store.known(kind, number)
    return jsonify(object=found, kept=stripe().store.kept(kind, number))


@control.post("/pull")
def pull() -> Response:
    """The events that were held back since the last call, oldest first, each with its body and signature."""
    return jsonify(events=stripe().emitter.pull())


@control.get("/deliveries")
def list_deliveries() -> Response:
    """The last deliveries with their answers, oldest first: ?type= &about= &limit=."""
    found = stripe().emitter.recorded(
        type=request.args.get("type"),
        about=request.args.get("about"),
        limit=request.args.get("limit", 500, type=int),
    )
    return jsonify(deliveries=found, outstanding=stripe().emitter.outstanding())


@control.post("/events/<event_id>/again")
def tell_again(event_id: str) -> tuple[str, int]:
    """Tell one event once more."""
    if not stripe().emitter.again(event_id):
        abort(404, "There was no such event.")
    return "", 202


@control.get("/clock")
def show_clock() -> Response:
    """Stripe's time, and how far it is from the wall's."""
    return jsonify(now=stripe().clock.now(), offset_seconds=stripe().clock.offset_seconds)


@control.get("/account")
def show_account() -> Response:
    """The account as its owner set it up."""
    return jsonify(asdict(stripe().account))


@control.put("/account")
def change_account() -> Response:
    """{secret_key, webhook_secret (newest first, with commas), webhook_url, enabled_events}."""
    wish, account = _wish(), stripe().account
    account.secret_key = str(wish.get("secret_key", account.secret_key))
    account.webhook_url = str(wish.get("webhook_url", account.webhook_url))
    account.enabled_events = list(wish.get("enabled_events", account.enabled_events))
    if "webhook_secret" in wish:
        account.webhook_secrets = [one.strip() for one in str(wish["webhook_secret"]).split(",")]
    return show_account()


@control.post("/webhook-secret")
def roll_secret() -> Response:
    """{secret}, or a made-up one: it signs from now on, beside the one before."""
    return jsonify(secret=stripe().emitter.roll(_wish().get("secret")))


@control.delete("/webhook-secret")
def end_roll() -> tuple[str, int]:
    """The secret before is over."""
    stripe().emitter.end_roll()
    return "", 204


@control.get("/requests")
def list_requests() -> Response:
    """What was asked of the API lately, oldest first; any member of a call narrows it."""
    return jsonify(requests=stripe().recorder.calls(**request.args.to_dict()))


@control.delete("/requests")
def forget_requests() -> tuple[str, int]:
    """Start a new list."""
    stripe().recorder.clear()
    return "", 204


@control.get("/faults")
def list_faults() -> Response:
    """What is in force."""
    return jsonify(faults=stripe().faults.current())


@control.post("/faults")
def add_fault() -> tuple[Response, int]:
    """{kind, count, on, value, probability}; `on` is an event type, or a call such as `POST /v1/refunds`."""
    return jsonify(asdict(stripe().faults.add(_wish()))), 201


@control.delete("/faults")
def clear_faults() -> tuple[str, int]:
    """Let everything work again."""
    stripe().faults.clear()
    return "", 204


@control.get("/switches")
def show_switches() -> Response:
    """How Stripe behaves now."""
    return jsonify(asdict(stripe().switches.now))


@control.put("/switches")
def change_switches() -> Response:
    """Set some of them."""
    return jsonify(asdict(stripe().switches.change(_wish())))


@control.post("/reset")
def reset() -> tuple[str, int]:
    """Forget all objects, events, faults and switches, and come back to the wall's time."""
    stripe().forget_everything()
    return "", 204


def _refuse(error: Exception) -> tuple[Response, int]:
    if isinstance(error, KeyError):
        raise error  # a bug, although a LookupError as well
    return jsonify(message=str(error)), 404 if isinstance(error, LookupError) else 400


for _kind in (*REFUSALS, BadTrouble, BadSwitch):
    control.register_error_handler(_kind, _refuse)


def _wish() -> dict[str, Any]:
    wish = request.get_json(silent=True) if request.data else {}
    if not isinstance(wish, dict):
        abort(400, "An object is needed.")
    return wish
