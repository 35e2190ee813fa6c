"""The pages of the front ends that Stripe sends people back to: each client has its own paths."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from app.core.clients import is_embedded_client
from app.core.settings import settings
from app.subscriptions.errors import FrontendNotConfigured

WEB_PATH, EMBEDDED_PATH = "/app/shopify/billing", "/shopify/app/billing"


@dataclass(frozen=True)
class ReturnPages:
    """Where the person goes after paying, after giving up, and after the portal."""

    success: str
    cancel: str
    portal: str


def return_pages() -> ReturnPages:
    """Those of the client that asks, at its own origin where we know it; else the web client's.

    Raises FrontendNotConfigured.
    """
    chosen = settings()
    if chosen.embedded_origin and is_embedded_client():
        return _pages(chosen.embedded_origin + EMBEDDED_PATH, "")
    asking = request.headers.get("Origin", "")
    origin = asking if asking in chosen.cors_allowlist else chosen.frontend_url
    if not origin:
        raise FrontendNotConfigured
    return _pages(origin + WEB_PATH, "?fromPortal=true")


def _pages(base: str, from_portal: str) -> ReturnPages:
    # Stripe replaces the braces and what is in them; they must arrive there as they are.
    success = f"{base}/success?session_id={{CHECKOUT_SESSION_ID}}&type=subscription"
    return ReturnPages(success, f"{base}/cancel", base + from_portal)
