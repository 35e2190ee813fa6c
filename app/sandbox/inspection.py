"""For tests and demonstrations: look into the carrier and make it misbehave. No key: loopback only."""

from dataclasses import asdict

from flask import Blueprint, Response, abort, jsonify, request

from app.sandbox import queries
from app.sandbox.faults import BadFault
from app.sandbox.reports import BadSwitch
from app.sandbox.state import sandbox
from app.sandbox.ticks import from_text

inspection = Blueprint("inspection", __name__, url_prefix="/_sandbox")

PAGE_MAX = 1000
DOUBLED_SHOWN = 100


@inspection.get("/messages")
def messages() -> Response:
    """Accepted messages, oldest first.

    ?phone= &since= (instant or seconds) &limit= and &after= (the `next` of the page before).
    """
    try:
        since = from_text(request.args.get("since", "0"))
        after, limit = int(request.args.get("after", 0)), int(request.args.get("limit", 100))
    except ValueError:
        abort(400, "since must be an instant; after and limit must be whole numbers.")
    limit = max(1, min(limit, PAGE_MAX))
    phone = request.args.get("phone")
    found = queries.accepted_messages(sandbox().store, phone=phone, since=since, after=after, limit=limit)
    return jsonify(messages=found, next=found[-1]["seq"] if len(found) == limit else None)


@inspection.get("/stats")
def stats() -> Response:
    """How much was accepted, how much of it twice, and what became of it."""
    counts = sandbox().store.counts
    replies = counts.pop("Replies", 0)
    doubled = sandbox().store.doubled_texts(DOUBLED_SHOWN)
    return jsonify(
        accepted=counts.total(),
        distinct=sandbox().store.distinct_texts(),
        duplicates=[{"phone": row["phone"], "text": row["text"], "times": row["times"]} for row in doubled],
        by_status=counts,
        replies=replies,
    )


@inspection.get("/outstanding")
def outstanding() -> Response:
    """Reports and replies that nobody has taken yet."""
    return jsonify(sandbox().reporter.outstanding())


@inspection.post("/reset")
def reset() -> tuple[str, int]:
    """Forget messages, webhooks, faults, switches and everything that was still to be reported."""
    sandbox().forget_everything()
    return "", 204


@inspection.post("/reply")
def reply() -> Response:
    """Write {text} on {phone}, to whoever wrote to it last (or to {sender})."""
    wish = _wish()
    phone, text = str(wish.get("phone", "")), str(wish.get("text", "")).strip()
    sender = wish.get("sender") or queries.last_sender(sandbox().store, phone)
    if not phone or not text or not sender:
        abort(400, "phone and text are needed, and the phone must have got a text before (or name a sender).")
    return jsonify(messageId=sandbox().reporter.reply(phone, str(sender), text))


@inspection.get("/faults")
def list_faults() -> Response:
    """The faults in force."""
    return jsonify(faults=[asdict(fault) for fault in sandbox().faults.current()])


@inspection.post("/faults")
def add_fault() -> tuple[Response, int]:
    """Put a fault in force: {kind, count, on, value, retry_after, share, probability}."""
    try:
        return jsonify(asdict(sandbox().faults.add(_wish()))), 201
    except BadFault as error:
        abort(400, str(error))


@inspection.delete("/faults")
def clear_faults() -> tuple[str, int]:
    """Let the carrier work again."""
    sandbox().faults.clear()
    return "", 204


@inspection.get("/reports")
def report_switches() -> Response:
    """The bad habits in force."""
    return jsonify(asdict(sandbox().reporter.switches))


@inspection.put("/reports")
def change_report_switches() -> Response:
    """Set some of the switches; the others stay as they are."""
    try:
        return jsonify(asdict(sandbox().reporter.switch(_wish())))
    except BadSwitch as error:
        abort(400, str(error))


def _wish() -> dict[str, object]:
    wish = request.get_json()
    if not isinstance(wish, dict):
        abort(400, "An object is needed.")
    return wish
