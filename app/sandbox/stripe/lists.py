"""Lists as the API gives them."""

from app.sandbox.stripe.store import Document


def whole_list(found: list[Document], url: str, *, has_more: bool = False) -> Document:
    """All of it, or one page of it."""
    return {"object": "list", "data": found, "has_more": has_more, "url": url}
