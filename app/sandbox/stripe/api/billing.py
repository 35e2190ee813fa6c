"""`/v1/invoices`, `/v1/invoice_payments`, `/v1/billing_portal/sessions`, and `/v1/events`."""

from app.sandbox.stripe import billing_cycle, invoices, portal_sessions
from app.sandbox.stripe.api.door import Call, door
from app.sandbox.stripe.api.listing import PAGE, listed, page_of
from app.sandbox.stripe.errors import Refusal
from app.sandbox.stripe.parameters import anything, many, members, text, word
from app.sandbox.stripe.store import Document

FLOWS = (
    "payment_method_update",
    "subscription_cancel",
    "subscription_update",
    "subscription_update_confirm",
)
FLOW = members(
    type=word(*FLOWS),
    after_completion=anything,
    subscription_cancel=anything,
    subscription_update=anything,
    subscription_update_confirm=anything,
)
STATUS = word("draft", "open", "paid", "uncollectible", "void")


@door("GET", "/invoices/<number>")
def invoice(call: Call) -> Document:
    """One invoice."""
    return call.found("invoice")


@door("GET", "/invoices", customer=text(), subscription=text(), status=STATUS, **PAGE)
def every_invoice(call: Call) -> Document:
    """Invoices, newest first."""
    wanted = call.wish.pop("subscription", None)
    more = {"parent.subscription_details.subscription": wanted} if wanted else {}
    return listed(call, "invoice", "/invoices", **more)


@door("POST", "/invoices/<number>/pay")
def pay(call: Call) -> Document:
    """Collect it now, by the card that is on file."""
    found = call.found("invoice")
    if found["status"] != "open":
        raise Refusal(f"Invoice is already {found['status']}", code="invoice_not_editable")
    return billing_cycle.pay_invoice(call.world, found["id"])


@door("POST", "/invoices/<number>/void")
def void(call: Call) -> Document:
    """Nobody owes it any more."""
    found = call.found("invoice")
    if found["status"] not in ("open", "uncollectible"):
        raise Refusal("You can only void an open or uncollectible invoice.", code="invoice_not_editable")
    return invoices.void(call.world, found)


@door(
    "GET",
    "/invoice_payments",
    invoice=text(),
    payment=members(type=word("payment_intent"), payment_intent=text()),
    status=word("open", "paid", "canceled"),
    **PAGE,
)
def invoice_payments(call: Call) -> Document:
    """Which payment intents pay which invoices, newest first."""
    wanted = (call.wish.pop("payment", None) or {}).get("payment_intent")
    more = {"payment.payment_intent": wanted} if wanted else {}
    return listed(call, "invoice_payment", "/invoice_payments", **more)


@door(
    "POST",
    "/billing_portal/sessions",
    "customer",
    customer=text(),
    return_url=text(),
    configuration=text(),
    locale=text(),
    flow_data=FLOW,
)
def portal(call: Call) -> Document:
    """A page where the customer changes the card or the subscription."""
    return portal_sessions.begin(call.world, call.named("customer", "customer"), call.wish)


@door("GET", "/events/<number>")
def event(call: Call) -> Document:
    """One event."""
    return call.found("event")


@door("GET", "/events", type=text(), types=many(text()), **PAGE)
def every_event(call: Call) -> Document:
    """Events, newest first; `types` narrows them to several kinds."""
    kinds = call.wish.pop("types", None)
    if not kinds:
        return listed(call, "event", "/events")
    found = [one for one in call.world.store.find("event") if one["type"] in kinds]
    return page_of(call, found, "/events")
