"""The customer portal: plan, payment method, invoices."""

from urllib.parse import urlencode

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.sandbox.stripe import actions, shown
from app.sandbox.stripe.actions import REFUSALS
from app.sandbox.stripe.page import known, look, page, require_own_form, said
from app.sandbox.stripe.portal_sessions import KIND
from app.sandbox.stripe.state import stripe
from app.sandbox.stripe.store import Document
from app.sandbox.stripe.subscription_view import subscription_view
from app.sandbox.stripe.subscriptions import OVER, method_of

ACTIONS = {"cancel": "cancel-at-period-end", "resume": "resume", "method": "change-method"}
DONE = {
    "cancel": "The plan ends with the period that is paid.",
    "resume": "The plan goes on.",
    "method": "This is what the next invoice is paid with.",
}
INVOICES = 24


@page.get("/portal/<portal_id>")
def portal(portal_id: str) -> AnyResponse:
    """The page at a portal session's url."""
    session = known(KIND, portal_id)
    world, customer = stripe(), session["customer"]
    if world.store.get("customer", customer) is None:
        return said("Nobody is here", "This customer was deleted.", session["return_url"])
    mine = world.store.find("subscription", customer=customer)
    alive = [one for one in mine if one["status"] not in OVER]
    return look(
        "stripe/portal.html",
        session,
        notice=request.args.get("notice"),
        trouble=request.args.get("trouble"),
        subscriptions=[subscription_view(world, one) for one in alive or mine[:1]],
        method=_method(customer, alive),
        cards=shown.TEST_CARDS,
        invoices=[
            _invoice(one) for one in world.store.page("invoice", {"customer": customer}, limit=INVOICES)
        ],
    )


@page.post("/portal/<portal_id>/<action>")
def portal_act(portal_id: str, action: str) -> AnyResponse:
    """A button of the portal was pressed; pressed twice it has changed nothing more."""
    require_own_form()
    session = known(KIND, portal_id)
    wish = {**request.form.to_dict(), "customer": session["customer"]}
    try:
        _require_own(session, wish)
        actions.act(stripe(), ACTIONS.get(action, action), wish)
        message = {"notice": DONE[action]}
    except (*REFUSALS, KeyError) as refusal:
        message = {"trouble": str(refusal)}
    return redirect(f"{url_for('.portal', portal_id=portal_id)}?{urlencode(message)}", 303)


def _require_own(session: Document, wish: Document) -> None:
    if "subscription" in wish:
        mine = known("subscription", wish["subscription"])["customer"]
        if mine != session["customer"]:
            raise LookupError("This subscription is somebody else's.")


def _method(customer: str, alive: list[Document]) -> str:
    store = stripe().store
    if alive and (method := method_of(stripe(), alive[0])):
        return shown.method_name(method)
    saved = store.find("payment_method", customer=customer)
    return shown.method_name(saved[0]) if saved else ""


def _invoice(one: Document) -> Document:
    return {
        "url": url_for(".invoice", invoice_id=one["id"]),
        "amount": shown.money(one["total"], one["currency"]),
        "number": one["number"] or "draft",
        "day": shown.day(one["created"]),
        "status": one["status"],
    }
