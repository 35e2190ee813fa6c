"""The account's page at `/stripe/`: who has paid what, the clock, and a button for whatever may happen."""

import threading
import time
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.sandbox.fault_list import BadTrouble
from app.sandbox.stripe import actions, shown
from app.sandbox.stripe.actions import REFUSALS
from app.sandbox.stripe.checkout import KIND
from app.sandbox.stripe.emitter import rendered
from app.sandbox.stripe.faults import Trouble
from app.sandbox.stripe.page import require_own_form
from app.sandbox.stripe.state import stripe
from app.sandbox.stripe.store import Document
from app.sandbox.stripe.subscription_view import subscription_view

account = Blueprint("stripe-account", __name__, url_prefix="/stripe")

POLICY = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
SHOWN, EVENTS = 10, 30
COUNTED = {
    "customer": "customer",
    "payment_intent": "payment",
    "subscription": "subscription",
    "event": "event",
}
SETTLE_SECONDS = 0.6  # so that a page shows how the events of its own button went
TONES = {
    **dict.fromkeys(("succeeded", "complete", "paid"), "good"),
    **dict.fromkeys(("processing", "open", "requires_action"), "wait"),
    **dict.fromkeys(("expired", "canceled", "requires_payment_method"), "bad"),
}
DONE = {
    "advance": "Time has passed.",
    "refund": "The money goes back.",
    "dispute": "The bank has taken the money back.",
    "close-dispute": "The bank has decided.",
    "settle": "The bank has told how it ended.",
    "expire": "It cannot be paid any more.",
    "fail-renewals": "The next renewal will fail.",
    "mend-renewals": "The card is good again.",
    "cancel-subscription": "The subscription is over.",
    "again": "It was sent again, with the same id.",
    "roll-secret": "Both secrets sign now.",
    "end-roll": "Only the newest signs now.",
}


@account.get("/")
def overview() -> Response:
    """Everything at a glance, newest first."""
    _let_events_go()
    world, store = stripe(), stripe().store
    answer = make_response(
        render_template(
            "stripe/account.html",
            notice=request.args.get("notice"),
            trouble=request.args.get("trouble"),
            now=world.clock.now(),
            offset=_offset(world.clock.offset_seconds),
            account=world.account,
            figures=_figures(),
            payments=[_payment(one) for one in store.page("payment_intent", {}, limit=SHOWN)],
            sessions=[_checkout(one) for one in store.page(KIND, {}, limit=SHOWN)],
            subscriptions=[
                subscription_view(world, one) | {"who": _who(one["customer"])}
                for one in store.page("subscription", {}, limit=SHOWN)
            ],
            customers=[_customer(one) for one in store.page("customer", {}, limit=SHOWN)],
            events=_events(),
            faults=world.faults.current(),
            troubles=[str(kind) for kind in Trouble],
        )
    )
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


@account.post("/do/<action>")
def press(action: str) -> AnyResponse:
    """A button was pressed."""
    require_own_form()
    wish = {name: value.strip() for name, value in request.form.items() if value.strip()}
    try:
        if action == "trouble":
            return _back(notice=_trouble(wish))
        done = actions.act(stripe(), action, wish)
    except (*REFUSALS, BadTrouble, ValueError) as refusal:
        return _back(trouble=str(refusal))
    if action == "portal":
        return redirect(done["url"], 303)
    return _back(notice=DONE.get(action, "Done."))


def _figures() -> list[str]:
    rows = stripe().store.rows("SELECT object, count(*) AS times FROM documents GROUP BY object")
    found = {row["object"]: row["times"] for row in rows}
    counts = [(word, found.get(kind, 0)) for kind, word in COUNTED.items()]
    return [f"{count:,} {word}{'' if count == 1 else 's'}" for word, count in counts]


def _trouble(wish: dict[str, Any]) -> str:
    if wish.pop("clear", None):
        stripe().faults.clear()
        return "All works again."
    wish["count"] = int(wish.get("count", 1))
    stripe().faults.add(wish)
    return "Trouble is waiting."


def _back(**message: str) -> AnyResponse:
    return redirect(f"{url_for('.overview')}?{urlencode(message)}", 303)


def _let_events_go() -> None:
    if not request.args.get("notice"):
        return
    deadline, pause = time.monotonic() + SETTLE_SECONDS, threading.Event()
    while stripe().emitter.outstanding() and time.monotonic() < deadline:
        pause.wait(0.02)


def _events() -> list[Document]:
    """The newest events, each with how its delivery went; after a restart nobody knows that any more."""
    told = {one["event_id"]: one for one in stripe().emitter.recorded()}
    found = stripe().store.page("event", {}, limit=EVENTS)
    return [told.get(event["id"]) or _untold(event) for event in found]


def _untold(event: Document) -> Document:
    about = str(event["data"]["object"].get("id") or "")
    named = {"event_id": event["id"], "type": event["type"], "about": about, "created": event["created"]}
    return named | {"url": "", "state": "", "statuses": [], "body": rendered(event).decode()}


def _payment(intent: Document) -> Document:
    store = stripe().store
    charge = store.get("charge", intent["latest_charge"]) or {"amount_refunded": 0}
    disputes = store.find("dispute", payment_intent=intent["id"])
    left, currency = intent["amount"] - charge["amount_refunded"], intent["currency"]
    is_paid = intent["status"] == "succeeded"
    return {
        "id": intent["id"],
        "amount": shown.money(intent["amount"], currency),
        "who": _who(intent["customer"]),
        "about": intent["metadata"].get("type", "").replace("_", " ") or intent["description"] or "payment",
        "at": shown.day_and_time(intent["created"]),
        "status": intent["status"].replace("_", " "),
        "tone": TONES.get(intent["status"], ""),
        "refunded": shown.money(charge["amount_refunded"], currency) if charge["amount_refunded"] else "",
        "is_paid": is_paid,
        "left": left if all(one["status"] == "won" for one in disputes) else 0,
        "half": max(1, left // 2),
        "dispute": _dispute(disputes[0]) if disputes else None,
        "is_delayed": intent["status"] == "processing",
    }


def _dispute(one: Document) -> Document:
    is_open = one["status"] not in ("won", "lost")
    return {"id": one["id"], "status": one["status"].replace("_", " "), "is_open": is_open}


def _checkout(session: Document) -> Document:
    is_owed = session["status"] == "complete" and session["payment_status"] == "unpaid"
    return {
        "id": session["id"],
        "amount": shown.money(session["amount_total"], session["currency"]),
        "who": _who(session["customer"]),
        "about": session["metadata"].get("type", session["mode"]).replace("_", " "),
        "at": shown.day_and_time(session["created"]),
        "status": "complete, not yet paid" if is_owed else session["status"],
        "tone": "wait" if is_owed else TONES.get(session["status"], ""),
        "url": session["url"] if session["status"] == "open" else None,
    }


def _customer(one: Document) -> Document:
    store = stripe().store
    method = store.get("payment_method", one["invoice_settings"]["default_payment_method"])
    saved = store.find("payment_method", customer=one["id"]) if method is None else [method]
    numbers = [
        {"value": number["value"], "status": number["verification"]["status"]}
        for number in store.find("tax_id", customer=one["id"])
    ]
    method_name = shown.method_name(saved[0]) if saved else ""
    return {name: one[name] for name in ("id", "name", "email")} | {
        "method": method_name,
        "numbers": numbers,
    }


def _who(number: str | None) -> str:
    found = stripe().store.get("customer", number) or {}
    return str(found.get("name") or found.get("email") or number or "a guest")


def _offset(seconds: float) -> str:
    days = round(seconds / 86_400)
    return f"{days} day{'s' if days != 1 else ''}" if days else ""
