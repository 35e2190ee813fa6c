"""The page with one question or one fact that people reach from a link in a text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Response, make_response, render_template, request

from app.core.phones import mask_phone

CARDS = Path(__file__).with_name("cards")
# What a blueprint with such a page serves it from.
FOLDERS = {"template_folder": str(CARDS / "templates"), "static_folder": str(CARDS / "static")}
HTML: dict[str, Any] = {"schema": {"type": "string"}, "content_type": "text/html"}
LANGUAGES = ("en", "el")
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


@dataclass(frozen=True)
class CardWords:
    """What a page says in one language. `{shop}` stands for the shop's name, `{phone}` for the masked number.

    It asks (`ask`, with a button), says that it is done or was done before (`already`), or that the link is
    `invalid`; only the last one knows neither shop nor phone.
    """

    language: str
    ask_title: str
    ask_text: str
    button: str
    done_title: str
    done_text: str
    already_title: str
    already_text: str
    invalid_title: str
    invalid_text: str


def language_asked_for() -> str | None:
    """The one of LANGUAGES that the browser likes best."""
    return request.accept_languages.best_match(LANGUAGES)


def card(state: str, words: CardWords, *, shop: str = "", phone: str = "", status: int = 200) -> Response:
    """The page in a state of `CardWords`. No cache keeps it and no search engine lists it."""
    names = {"shop": shop, "phone": mask_phone(phone) if phone else ""}
    response = make_response(render_template("card.html", state=state, words=words, names=names), status)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    response.vary.add("Accept-Language")
    return response
