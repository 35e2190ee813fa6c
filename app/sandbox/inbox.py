"""The phone inbox: a page on which one sees what the phones see, follows links and answers."""

from flask import Blueprint, Response, abort, jsonify, make_response, render_template, request

from app.sandbox import queries
from app.sandbox.outcomes import DeliveryStatus
from app.sandbox.state import sandbox

inbox = Blueprint("inbox", __name__)

LIST_MAX = 500
BUBBLES_MAX = 200
REPLY_MAX = 1600
# Own files only: a text that arrives here can never load or run anything.
POLICY = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


@inbox.get("/")
def page() -> Response:
    """The page itself."""
    answer = make_response(render_template("inbox.html"))
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


@inbox.get("/inbox/conversations")
def conversations() -> Response | tuple[str, int]:
    """The newest conversations and the totals; 204 when nothing has changed since version ?seen=."""
    version = sandbox().store.version
    if request.args.get("seen", type=int) == version:
        return "", 204
    search = request.args.get("search", "").strip()
    limit = max(1, min(request.args.get("limit", 60, type=int), LIST_MAX))
    found = queries.conversations(sandbox().store, search=search, limit=limit + 1)
    return jsonify(version=version, totals=_totals(), conversations=found[:limit], more=len(found) > limit)


@inbox.get("/inbox/conversations/<phone>")
def conversation(phone: str) -> Response:
    """One phone's bubbles: the latest, or those ?before= or ?after= a seq."""
    after, before = request.args.get("after", type=int), request.args.get("before", type=int)
    found = queries.conversation(sandbox().store, phone, after=after, before=before, limit=BUBBLES_MAX)
    return jsonify(phone=phone, messages=found, earlier=after is None and len(found) == BUBBLES_MAX)


@inbox.post("/inbox/conversations/<phone>/read")
def mark_read(phone: str) -> tuple[str, int]:
    """Take the dot off a conversation."""
    sandbox().store.mark_read(phone)
    return "", 204


@inbox.post("/inbox/conversations/<phone>/reply")
def reply(phone: str) -> Response:
    """Answer with {text}, to the sender of the last text."""
    wish = request.get_json()
    text = str(wish.get("text", "")).strip() if isinstance(wish, dict) else ""
    if not 1 <= len(text) <= REPLY_MAX:
        abort(400, f"text must have 1 to {REPLY_MAX} characters.")
    sender = queries.last_sender(sandbox().store, phone)
    if sender is None:
        abort(404, "This phone never got a text.")
    return jsonify(messageId=sandbox().reporter.reply(phone, sender, text))


def _totals() -> dict[str, int]:
    counts = sandbox().store.counts
    return {
        "onTheWay": counts[DeliveryStatus.SENT.value],
        "delivered": counts[DeliveryStatus.DELIVERED.value],
        "failed": counts[DeliveryStatus.FAILURE.value],
        "replies": counts["Replies"],
    }
