"""Where Stripe's page leads back to: only pages of our own web clients."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.clients import billing_pages, client_origins, origin_of
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
    base = billing_pages()
    return Returns(
        _allowed("successUrl", success) or f"{base}/success?session_id={SESSION}&type={kind}",
        _allowed("cancelUrl", cancel) or f"{base}/cancel",
    )


def _allowed(field: str, url: str | None) -> str | None:
    if not url:
        return None
    plain = url.strip().replace(ENCODED_SESSION, SESSION).replace(ENCODED_SESSION.lower(), SESSION)
    # A backslash is a slash to browsers and none to us; blanks and controls are nobody's address.
    is_odd = len(plain) > LONGEST or "\\" in plain or not plain.isprintable() or " " in plain
    if is_odd or origin_of(plain) not in client_origins():
        raise UrlNotAllowed(field)
    return plain
