"""The pages of the front ends that Stripe sends people back to."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.clients import billing_pages, is_embedded_client


@dataclass(frozen=True)
class ReturnPages:
    """Where the person goes after paying, after giving up, and after the portal."""

    success: str
    cancel: str
    portal: str


def return_pages() -> ReturnPages:
    """Those of the client that asks."""
    base = billing_pages()
    # Stripe replaces the braces and what is in them; they must arrive there as they are.
    success = f"{base}/success?session_id={{CHECKOUT_SESSION_ID}}&type=subscription"
    portal = base if is_embedded_client() else f"{base}?fromPortal=true"
    return ReturnPages(success, f"{base}/cancel", portal)
