"""`/v1/refunds` and `/v1/disputes`."""

from app.sandbox.stripe import reversals
from app.sandbox.stripe.api.door import Call, door
from app.sandbox.stripe.api.listing import PAGE, listed
from app.sandbox.stripe.errors import MissingParameter, Refusal
from app.sandbox.stripe.parameters import anything, boolean, integer, merged, metadata, text, word
from app.sandbox.stripe.store import Document


@door(
    "POST",
    "/refunds",
    amount=integer(1),
    charge=text(),
    payment_intent=text(),
    reason=word("duplicate", "fraudulent", "requested_by_customer"),
    metadata=metadata,
    refund_application_fee=boolean,
)
def create(call: Call) -> Document:
    """Give money back: `amount`, or all that is left."""
    wish = call.wish
    if wish.get("charge") and wish.get("payment_intent"):
        raise Refusal("You may only specify one of these parameters: charge, payment_intent.", param="charge")
    if wish.get("charge"):
        wish["payment_intent"] = call.named("charge", "charge")["payment_intent"]
    if not wish.get("payment_intent"):
        raise MissingParameter("payment_intent")
    told = merged({}, wish.get("metadata"))
    return reversals.refund(
        call.world, wish["payment_intent"], wish.get("amount"), reason=wish.get("reason"), metadata=told
    )


@door("GET", "/refunds/<number>")
def show(call: Call) -> Document:
    """One refund."""
    return call.found("refund")


@door("GET", "/refunds", charge=text(), payment_intent=text(), **PAGE)
def every(call: Call) -> Document:
    """Refunds, newest first."""
    return listed(call, "refund", "/refunds")


@door("GET", "/charges/<number>/refunds", **PAGE)
def of_charge(call: Call) -> Document:
    """The refunds of a charge, newest first."""
    charge = call.found("charge")["id"]
    return listed(call, "refund", f"/charges/{charge}/refunds", charge=charge)


@door("GET", "/disputes/<number>")
def dispute(call: Call) -> Document:
    """One dispute."""
    return call.found("dispute")


@door("GET", "/disputes", charge=text(), payment_intent=text(), **PAGE)
def disputes(call: Call) -> Document:
    """Disputes, newest first."""
    return listed(call, "dispute", "/disputes")


@door("POST", "/disputes/<number>", evidence=anything, submit=boolean, metadata=metadata)
def respond(call: Call) -> Document:
    """Send evidence."""
    before = call.found("dispute")
    is_sent = bool(call.wish.get("submit"))
    after = before | {"status": "under_review" if is_sent else before["status"]}
    call.world.events.changed("charge.dispute.updated", before, after)
    return after


@door("POST", "/disputes/<number>/close")
def close(call: Call) -> Document:
    """Give it up: it is lost."""
    return reversals.close_dispute(call.world, call.found("dispute")["id"], won=False)
