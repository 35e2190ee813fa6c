"""What customers see of Stripe: Checkout, the bank's question, and invoices. The portal is in `portal.py`."""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.sandbox.stripe import actions, shown
from app.sandbox.stripe import checkout as till
from app.sandbox.stripe.cards import NoSuchCard
from app.sandbox.stripe.checkout import KIND, End, Outcome, Payer, SessionOver
from app.sandbox.stripe.errors import Refusal
from app.sandbox.stripe.state import stripe
from app.sandbox.stripe.store import Document

page = Blueprint("stripe-page", __name__, url_prefix="/stripe")

# Own files only. A form may end at the shop: browsers hold `form-action` against redirects, too.
POLICY = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self' {places}"
)
ADDRESS = ("line1", "city", "postal_code", "country")
FIELDS = ("email", "name", *ADDRESS, "tax_id", "card")


@page.get("/checkout/<session_id>")
def checkout(session_id: str) -> AnyResponse:
    """The page at a session's url; what was typed comes back in the query when the VAT is asked for."""
    session = _session(session_id)
    if session["status"] != "open":
        return _over(session)
    filled = _filled(session)
    trouble = request.args.get("trouble")
    return look("stripe/checkout.html", session, trouble=trouble, filled=filled, **_wanted(session))


@page.post("/checkout/<session_id>")
def pay(session_id: str) -> AnyResponse:
    """Pay was pressed. A second click finds the session complete, and goes where the first one went."""
    require_own_form()
    session = _session(session_id)
    card = request.form.get("card", "")
    try:
        outcome = till.complete(stripe(), session_id, card, _payer())
    except SessionOver:
        return _over(_session(session_id))
    except (NoSuchCard, Refusal) as refusal:
        return _again(session, str(refusal))
    return _went(outcome, card)


@page.get("/checkout/<session_id>/confirm")
def confirm(session_id: str) -> AnyResponse:
    """3-D Secure: the bank asks the card's owner."""
    session = _session(session_id)
    if session["status"] != "open":
        return _over(session)
    card = request.args.get("card", "")
    return look("stripe/confirm.html", session, card=card, **_wanted(session))


@page.post("/checkout/<session_id>/confirm")
def answer(session_id: str) -> AnyResponse:
    """It is me, or it is not."""
    require_own_form()
    session, card = _session(session_id), request.form.get("card", "")
    try:
        if request.form.get("answer") == "accept":
            outcome = till.complete(stripe(), session_id, card, _known_payer(session), is_confirmed=True)
        else:
            outcome = till.fail(stripe(), session_id, _known_payer(session))
    except SessionOver:
        return _over(_session(session_id))
    except (NoSuchCard, Refusal) as refusal:
        return _again(session, str(refusal))
    return _went(outcome, card)


@page.post("/checkout/<session_id>/leave")
def leave(session_id: str) -> AnyResponse:
    """Back to the shop without paying; the session stays open."""
    require_own_form()
    try:
        onward = till.cancel(stripe(), session_id)
    except SessionOver:
        return _over(_session(session_id))
    return redirect(onward or url_for(".checkout", session_id=session_id), 303)


@page.get("/3ds/<intent_id>")
def bank(intent_id: str) -> AnyResponse:
    """Where a payment intent's `next_action` leads: to the question of its open session."""
    found = stripe().store.find(KIND, payment_intent=intent_id)
    if not found or found[0]["status"] != "open":
        return said("Nothing to confirm", "The payment is over, or it was not begun on a page.")
    return redirect(url_for(".checkout", session_id=found[0]["id"]), 303)


@page.get("/invoice/<invoice_id>")
@page.get("/invoice/<invoice_id>/pdf")
def invoice(invoice_id: str) -> Response:
    """The page at an invoice's `hosted_invoice_url`."""
    found = known("invoice", invoice_id)
    bill, trouble = shown.invoice_bill(stripe(), found), request.args.get("trouble")
    return look("stripe/invoice.html", found, trouble=trouble, invoice=found, shown=bill)


@page.post("/invoice/<invoice_id>")
def pay_invoice(invoice_id: str) -> AnyResponse:
    """Pay an open invoice with the method that is saved; a paid one stays as it is."""
    require_own_form()
    try:
        actions.act(stripe(), "pay-invoice", {"invoice": known("invoice", invoice_id)["id"]})
    except actions.REFUSALS as refusal:
        return redirect(url_for(".invoice", invoice_id=invoice_id, trouble=str(refusal)), 303)
    return redirect(url_for(".invoice", invoice_id=invoice_id), 303)


@page.get("/receipt/<charge_id>")
def receipt(charge_id: str) -> Response:
    """The page at a charge's `receipt_url`."""
    found = known("charge", charge_id)
    amount = shown.money(found["amount"], found["currency"])
    back = shown.money(found["amount_refunded"], found["currency"])
    return said(f"{amount} paid", f"{shown.day(found['created'])} · {back} given back · {found['id']}")


def look(template: str, about: Document, **values: Any) -> Response:
    """A page whose forms may end where this object's customer came from."""
    urls = [about.get(name) for name in ("success_url", "cancel_url", "return_url")]
    parts = [urlsplit(url) for url in urls if url]
    places = sorted({f"{one.scheme}://{one.netloc}" for one in parts if one.netloc})
    answer = make_response(render_template(template, session=about, **values))
    answer.headers["Content-Security-Policy"] = POLICY.format(places=" ".join(places))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def said(words: str, hint: str, onward: str | None = None) -> Response:
    """A page that only says something."""
    return look("stripe/over.html", {}, said=words, hint=hint, onward=onward)


def known(kind: str, number: str) -> Document:
    """An object, or 404."""
    found = stripe().store.get(kind, number)
    if found is None:
        abort(404, f"There is no {kind.replace('.', ' ')} {number}.")
    return found


def require_own_form() -> None:
    """No keys here, so at least no other site may press the buttons."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403, "The buttons of this page work on this page only.")


@page.app_template_filter("card_number")
def card_number(number: str) -> str:
    """In groups of four."""
    return shown.card_number(number)


@page.app_template_filter("day")
def day(seconds: int) -> str:
    """`24 November 2026`."""
    return shown.day(seconds)


@page.app_template_filter("day_time")
def day_time(seconds: int) -> str:
    """`24 Nov 2026, 19:25`."""
    return shown.day_and_time(seconds)


def _session(session_id: str) -> Document:
    return known(KIND, session_id)


def _over(session: Document) -> AnyResponse:
    if session["status"] == "complete":
        onward = till.success_url(session)
        return redirect(onward, 303) if onward else said("Paid", "Nothing is left to do here.")
    hint = "Too much time has passed. Begin again at the shop: nothing was paid."
    return said("This checkout is over", hint, session["cancel_url"])


def _again(session: Document, trouble: str) -> AnyResponse:
    typed: dict[str, Any] = {name: request.form[name] for name in FIELDS if request.form.get(name)}
    return redirect(url_for(".checkout", session_id=session["id"], trouble=trouble, **typed), 303)


def _went(outcome: Outcome, card: str) -> AnyResponse:
    session = outcome.session
    if outcome.end == End.REQUIRES_ACTION:
        return redirect(url_for(".confirm", session_id=session["id"], card=card), 303)
    if outcome.end == End.DECLINED:
        return _again(session, outcome.message or "Your card was declined.")
    return _over(session)


def _filled(session: Document) -> dict[str, str]:
    """What the fields hold at first: what was typed before, else what is known of the customer."""
    customer = stripe().store.get("customer", session["customer"]) or {}
    address = customer.get("address") or {}
    first = {
        "email": customer.get("email") or session["customer_email"],
        "name": customer.get("name"),
        **{name: address.get(name) for name in ADDRESS},
    }
    filled = {name: request.args.get(name) or first.get(name) or "" for name in FIELDS}
    filled["country"] = filled["country"] or "GR"
    return filled | {"card": shown.ticked_card(filled["card"])}


def _wanted(session: Document) -> dict[str, Any]:
    """What the page asks for, and what it all comes to."""
    has_tax = session["automatic_tax"]["enabled"]
    wants = {
        "address": has_tax or session["billing_address_collection"] == "required",
        "tax_id": session["tax_id_collection"]["enabled"],
        "tax": has_tax,
    }
    customer = stripe().store.get("customer", session["customer"]) or {}
    country = request.args.get("country") or (customer.get("address") or {}).get("country")
    items = stripe().store.kept(KIND, session["id"])["line_items"]
    bill = shown.session_bill(stripe(), session, items, country)
    return {"wants": wants, "shown": bill, "cards": shown.TEST_CARDS, "countries": shown.COUNTRIES}


def _payer() -> Payer:
    form = {name: request.form.get(name, "").strip() for name in FIELDS}
    address = {name: form[name] or None for name in ADDRESS} if form["country"] else {}
    return Payer(form["email"], form["name"], address, form["tax_id"])


def _known_payer(session: Document) -> Payer:
    details = session["customer_details"] or {}
    return Payer(details.get("email") or "", details.get("name") or "", details.get("address") or {})
