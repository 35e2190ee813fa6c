"""Which of the two web clients asks, and where its pages are."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import has_request_context, request

from app.core.settings import settings
from app.core.urls import public_base_url

WEB_BILLING, EMBEDDED_BILLING = "/app/shopify/billing", "/shopify/app/billing"


def is_embedded_client() -> bool:
    """Whether the page that asks was loaded from EMBEDDED_ORIGIN. A job has no page."""
    origin = settings().embedded_origin
    return origin is not None and has_request_context() and request.headers.get("Origin") == origin


def client_origins() -> frozenset[str]:
    """The origins of our clients' pages; our own while none is configured."""
    chosen = settings()
    named = (chosen.frontend_url, chosen.embedded_origin, *chosen.cors_allowlist)
    found = frozenset(origin for url in named if url and (origin := origin_of(url)))
    return found or frozenset({public_base_url()})


def billing_pages() -> str:
    """Where the billing pages of the client that asks begin; the web client's when nobody known asks."""
    asking = request.headers.get("Origin", "") if has_request_context() else ""
    origin = asking if asking in client_origins() else settings().frontend_url or public_base_url()
    return origin + (EMBEDDED_BILLING if is_embedded_client() else WEB_BILLING)


def origin_of(url: str) -> str | None:
    """Scheme, host and port; None for what is no absolute http(s) URL or names a user."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return None
    return f"{parts.scheme}://{parts.netloc.lower()}"
