"""Where Stripe's page leads back to: only pages of our own web clients.

Each of the two has its path: the older one `/app/shopify/…`, the embedded one `/shopify/app/…`.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import request

from app.core.clients import is_embedded_client
from app.core.settings import settings
from app.core.urls import public_base_url
from app.purchases.errors import UrlNotAllowed

SESSION = "{CHECKOUT_SESSION_ID}"  # Stripe writes the session's id in its place, if the braces are plain
ENCODED_SESSION = "%7BCHECKOUT_SESSION_ID%7D"
LONGEST = 2_000


@dataclass(frozen=True)
class Returns:
    """Where a checkout leads when it is paid, and when it is left."""

    success: str
    cancel: str


def returns(success: str | None, cancel: str | None, kind: str) -> Returns:
    """The URLs that the client names, else its own pages. Raises UrlNotAllowed."""
    base = f"{_client()}{_path()}"
    return Returns(
        _allowed("successUrl", success) or f"{base}/success?session_id={SESSION}&type={kind}",
        _allowed("cancelUrl", cancel) or f"{base}/cancel",
    )


def _path() -> str:
    return "/shopify/app/billing" if is_embedded_client() else "/app/shopify/billing"


def _client() -> str:
    asking = request.headers.get("Origin", "")
    return asking if asking in _origins() else settings().frontend_url or public_base_url()


def _allowed(field: str, url: str | None) -> str | None:
    if not url:
        return None
    plain = url.strip().replace(ENCODED_SESSION, SESSION).replace(ENCODED_SESSION.lower(), SESSION)
    # A backslash is a slash to browsers and none to us; blanks and controls are nobody's address.
    is_odd = len(plain) > LONGEST or "\\" in plain or not plain.isprintable() or " " in plain
    if is_odd or _origin(plain) not in _origins():
        raise UrlNotAllowed(field)
    return plain


def _origins() -> frozenset[str]:
    named = (settings().frontend_url, settings().embedded_origin, *settings().cors_allowlist)
    found = frozenset(origin for url in named if url and (origin := _origin(url)))
    return found or frozenset({public_base_url()})


def _origin(url: str) -> str | None:
    """Scheme, host and port; None for what is no absolute http(s) URL or names a user."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return None
    return f"{parts.scheme}://{parts.netloc.lower()}"
