"""What strangers may send: the storefront's opt-in form, its confirmation page, the contact form."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from app.contacts.values import clean_text
from app.core.http import ApiBlueprint
from app.core.http.card import FOLDERS, HTML, card, language_asked_for
from app.storefront.errors import InvalidConfirmation
from app.storefront.schemas import EnquiryIn, EnquirySchema, OptInSchema, ReceivedSchema
from app.storefront.service import confirming, enquiries, opting_in
from app.storefront.service.confirming import Confirmation
from app.storefront.service.opting_in import OptIn, Received
from app.storefront.service.visits import Visit
from app.storefront.wording import words_in

forms = ApiBlueprint("storefront", __name__, public=True, description="Forms on storefronts and our own site")
page = ApiBlueprint(
    "opt-in-page",
    __name__,
    public=True,
    description="The page that confirms an opt-in",
    static_url_path="/opt-in-page",
    **FOLDERS,
)
THANKS = "Thank you. If we have to make sure that it was you, you get a text with a link."


@forms.post("/api/opt-in")
@forms.arguments(OptInSchema)
@forms.data(200, ReceivedSchema, message=THANKS)
@forms.errors(404)
def opt_in(body: dict[str, Any]) -> Received:
    """Sign a number up for a shop's texts. The answer does not tell whether the number was known."""
    page_url = body.pop("page_url")
    return opting_in.opt_in(OptIn(**body), _visit(page_url))


@forms.post("/public/contact")
@forms.arguments(EnquiryIn)
@forms.data(200, EnquirySchema)
def leave_enquiry(body: dict[str, Any]) -> dict[str, Any]:
    """Send us a message. Machines that fill in the hidden field get the same answer."""
    if not body.pop("website"):
        enquiries.leave_enquiry(**body)
    return {"message": "Thank you. We will get back to you.", "submitted": True}


@page.get("/opt-in/confirm/<token>")
@page.response(200, **HTML)
@page.alt_response(400, description="Not a valid link", **HTML)
def ask(token: str) -> Response:
    """Ask whether texts are wanted. Changes nothing: link scanners open every link."""
    found = confirming.open_confirmation(token)
    return _page("already" if found.is_used else "ask", found)


@page.post("/opt-in/confirm/<token>")
@page.response(200, **HTML)
@page.alt_response(400, description="Not a valid link", **HTML)
def confirm(token: str) -> Response:
    """Confirm that texts are wanted. Works once."""
    done = confirming.confirm(token, _visit(None))
    return _page("already" if done.is_used else "done", done)


@page.errorhandler(InvalidConfirmation)
def invalid(refusal: InvalidConfirmation) -> Response:
    """The same refusal as a page that a person can read."""
    return _page("invalid", None, refusal.status)


def _visit(page_url: str | None) -> Visit:
    referrer = clean_text(request.headers.get("Referer", ""))
    agent = clean_text(request.headers.get("User-Agent", ""))
    return Visit(
        ip=request.remote_addr,
        user_agent=agent and agent[:500],
        page_url=page_url or (referrer and referrer[:2000]),
        language=language_asked_for(),
    )


def _page(state: str, found: Confirmation | None, status: int = 200) -> Response:
    words = words_in(language_asked_for()).page
    if found is None:
        return card(state, words, status=status)
    return card(state, words, shop=found.shop_name, phone=found.phone, status=status)
