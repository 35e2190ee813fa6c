"""The short links themselves."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as AnyResponse

from app.core.http import ApiBlueprint
from app.core.settings import settings
from app.links import service
from app.links.errors import LinkMalformed, LinkNotAvailable
from app.links.visitors import is_person

blueprint = ApiBlueprint(
    "links",
    __name__,
    public=True,
    description="Short links in texts",
    static_folder="static",
    static_url_path="/link-page",
    template_folder="templates",
)
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HTML = {"schema": {"type": "string"}, "content_type": "text/html"}


@blueprint.get("/r/<token>")
@blueprint.response(302, description="To the URL of the text, or to the opt-out page")
@blueprint.alt_response(400, description="Not a token", **HTML)
@blueprint.alt_response(404, description="No such link", **HTML)
def follow(token: str) -> AnyResponse:
    """Follow a link of a text."""
    found = service.open_link(token)
    purpose = request.headers.get("Sec-Purpose") or request.headers.get("Purpose", "")
    if not found.is_opt_out and is_person(request.method, request.headers.get("User-Agent", ""), purpose):
        service.count_click(found)
    return _never_stored(redirect(service.target_of(found, token)))


@blueprint.get("/s/<token>")
@blueprint.response(302, description="To the URL of the text, or to the opt-out page")
@blueprint.alt_response(400, description="Not a token", **HTML)
@blueprint.alt_response(404, description="No such link", **HTML)
def follow_short(token: str) -> AnyResponse:
    """Follow a link of a text; the same as /r/."""
    return follow(token)  # type: ignore[no-any-return]


@blueprint.errorhandler(LinkNotAvailable)
def not_available(refusal: LinkNotAvailable) -> ResponseReturnValue:
    """The web client has a page for it; without a web client ours is shown."""
    frontend = settings().frontend_url
    if frontend:
        token = quote((request.view_args or {})["token"], safe="")
        return _never_stored(redirect(f"{frontend}/link-not-available?type=s&token={token}"))
    return _page(refusal.status)


@blueprint.errorhandler(LinkMalformed)
def malformed(refusal: LinkMalformed) -> ResponseReturnValue:
    return _page(refusal.status)


def _page(status: int) -> Response:
    language = request.accept_languages.best_match(("en", "el")) or "en"
    response = make_response(render_template("links/not_available.html", language=language), status)
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.vary.add("Accept-Language")
    response.headers["Cache-Control"] = "no-store"
    return response


def _never_stored(response: AnyResponse) -> AnyResponse:
    response.headers["Cache-Control"] = "no-store"
    return response
