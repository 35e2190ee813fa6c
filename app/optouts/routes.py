"""The opt-out page for phones, and the same for the web clients' own page."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, request

from app.core.http import ApiBlueprint
from app.core.phones import mask_phone
from app.optouts import service
from app.optouts.errors import InvalidOptOutLink
from app.optouts.schemas import OptedOutSchema, OptOutLinkSchema, opt_out_link
from app.optouts.service import OptOutLink
from app.optouts.wording import LANGUAGES, wording

page = ApiBlueprint(
    "opt-out-page",
    __name__,
    public=True,
    description="The opt-out page of every text",
    static_folder="static",
    static_url_path="/opt-out-page",
    template_folder="templates",
)
api = ApiBlueprint("unsubscribe", __name__, public=True, description="Opting out through the web clients")
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HTML: dict[str, Any] = {"schema": {"type": "string"}, "content_type": "text/html"}


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
    words = wording(request.accept_languages.best_match(LANGUAGES))
    names = {
        "shop": link.shop_name if link else "",
        "phone": mask_phone(link.phone) if link else "",
    }
    response = make_response(
        render_template("optouts/page.html", state=state, words=words, names=names), status
    )
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    response.vary.add("Accept-Language")
    return response
