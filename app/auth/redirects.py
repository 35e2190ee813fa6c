"""Browsers on their way to Shopify and back to the web client."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from flask import Request, redirect
from werkzeug.wrappers import Response

from app.auth import tokens
from app.connections.errors import InstallRefused, ShopifyAway
from app.connections.service import installing, signing_in
from app.connections.service.signing_in import LIFETIME, Departure
from app.core.settings import settings
from app.core.urls import public_base_url
from app.shops.errors import ShopNotFound

CLIENT_PATH = "/shopify/auth/callback"  # both web clients have this page
COOKIE = "astronote_sign_in"
COOKIE_PATH = "/auth"
BROWSER = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def browser_of(request: Request) -> str | None:
    """The name that this browser was given when it began to sign in."""
    name = request.cookies.get(COOKIE, "")
    return name if BROWSER.fullmatch(name) else None


def to_shopify(departure: Departure) -> Response:
    """Send the browser to Shopify, with a cookie that it comes back with."""
    response = _see_other_page(departure.url)
    response.set_cookie(
        COOKIE,
        departure.browser,
        max_age=int(LIFETIME.total_seconds()),
        path=COOKIE_PATH,
        secure=public_base_url().startswith("https://"),
        httponly=True,
        samesite="Lax",  # sent along when Shopify's page leads back here
    )
    return response


def to_client(query: Mapping[str, Sequence[str]], browser: str | None) -> Response:
    """Finish the sign-in and send the browser to the web client, with a token or with the reason why not.

    Raises what `signing_in.arrive` raises when it is no return of ours at all.
    """
    try:
        arrival = signing_in.arrive(query, browser)
        shop = installing.install_by_code(arrival.domain, arrival.code)
    except (InstallRefused, ShopifyAway, ShopNotFound) as refusal:
        return _client_page(error=refusal.message)
    return _client_page(token=tokens.issue(shop.id, shop.domain), shop=shop.domain)


def _client_page(**query: str) -> Response:
    base = settings().frontend_url or public_base_url()
    return _see_other_page(f"{base}{CLIENT_PATH}?{urlencode(query)}")


def _see_other_page(url: str) -> Response:
    response = redirect(url)
    # The address holds a state or a token: no cache and no later page may learn it.
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
