"""The opt-out page for phones, and the same for the web clients' own page."""

from __future__ import annotations

from flask import Response

from app.core.http import ApiBlueprint
from app.core.http.card import FOLDERS, HTML, card, language_asked_for
from app.optouts import service
from app.optouts.errors import InvalidOptOutLink
from app.optouts.schemas import OptedOutSchema, OptOutLinkSchema, opt_out_link
from app.optouts.service import OptOutLink
from app.optouts.wording import wording

page = ApiBlueprint(
    "opt-out-page",
    __name__,
    public=True,
    description="The opt-out page of every text",
    static_url_path="/opt-out-page",
    **FOLDERS,
)
api = ApiBlueprint("unsubscribe", __name__, public=True, description="Opting out through the web clients")


@page.get("/opt-out/<token>")
@page.response(200, **HTML)
@page.alt_response(400, description="Not a valid link", **HTML)
def ask(token: str) -> Response:
    """Ask whether the texts shall stop. Changes nothing: link scanners open every link."""
    link = service.open_link(token)
    return _page("already" if link.is_opted_out else "ask", link)


@page.post("/opt-out/<token>")
@page.response(200, **HTML)
@page.alt_response(400, description="Not a valid link", **HTML)
def stop(token: str) -> Response:
    """Stop the texts."""
    return _page("done", service.opt_out(token))


@page.errorhandler(InvalidOptOutLink)
def invalid(refusal: InvalidOptOutLink) -> Response:
    """The same refusal as a page that a person can read."""
    return _page("invalid", None, refusal.status)


@api.get("/unsubscribe/<token>")
@api.data(200, OptOutLinkSchema)
def show(token: str) -> dict[str, object]:
    """Whom an opt-out link concerns. Changes nothing."""
    return opt_out_link(service.open_link(token), token)


@api.post("/unsubscribe/<token>")
@api.data(200, OptedOutSchema)
def unsubscribe(token: str) -> dict[str, object]:
    """Stop the texts. Repeating it changes nothing."""
    link = service.opt_out(token)
    return {"success": True, "message": "You will receive no more messages from this shop.", "contact": link}


def _page(state: str, link: OptOutLink | None, status: int = 200) -> Response:
    words = wording(language_asked_for())
    if link is None:
        return card(state, words, status=status)
    return card(state, words, shop=link.shop_name, phone=link.phone, status=status)
