"""Doorbells of connections. Harmless twice, late or never: a daily check follows anyway."""

from __future__ import annotations

from app.connections.service import subscriptions
from app.core.jobs import doorbell, periodic


@doorbell("connections.register_webhooks")
def register_webhooks(shop_id: int) -> None:
    """Make one shop's webhook subscriptions what they should be."""
    subscriptions.register_webhooks(shop_id)


@periodic("connections.check", every_seconds=600)
def check() -> None:
    """Ring for some of the shops that were not looked at for a day, and forget sign-ins given up."""
    subscriptions.ring_for_due_checks()
