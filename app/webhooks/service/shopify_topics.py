"""What is done about each of Shopify's topics. Handlers are steps of other features: they run inside the
transaction that marks the event done, give a short word for what they did, and are harmless when repeated.
"""

from __future__ import annotations

from collections.abc import Callable

from app.integrations.shopify.events import ShopifyEvent
from app.webhooks.models import Left

Handler = Callable[[ShopifyEvent], str]

HANDLERS: dict[str, Handler] = {}


def apply(event: ShopifyEvent) -> str:
    """Do what the event's topic asks for; what was done. A step. Raises whatever its handler raises."""
    handler = HANDLERS.get(event.topic)
    return handler(event) if handler else Left.NO_HANDLER
