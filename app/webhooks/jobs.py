"""Doorbells of the inbox. All are harmless twice, late or never: the rows wait."""

from __future__ import annotations

from rq.timeouts import BaseTimeoutException

from app.core.jobs import doorbell, periodic
from app.core.queue import wake
from app.webhooks.service import comparing, inbox, reports, shopify_events, stripe_events, texts


@doorbell("webhooks.apply_reports")
def apply_reports() -> None:
    """Apply waiting delivery reports."""
    if reports.apply_reports():
        wake("webhooks.apply_reports")


@doorbell("webhooks.receive_replies")
def receive_replies() -> None:
    """Obey waiting texts from people."""
    if texts.receive_replies():
        wake("webhooks.receive_replies")


@doorbell("webhooks.apply_shopify")
def apply_shopify(shop_id: int) -> None:
    """Work on waiting events of one shop; to the tail of the queue when they are many."""
    if shopify_events.apply_events(shop_id, interruptions=(BaseTimeoutException,)):
        wake("webhooks.apply_shopify", shop_id)


@doorbell("webhooks.apply_stripe")
def apply_stripe() -> None:
    """Work on waiting events of Stripe; to the tail of the queue when they are many."""
    if stripe_events.apply_events(interruptions=(BaseTimeoutException,)):
        wake("webhooks.apply_stripe")


@doorbell("webhooks.compare_shop")
def compare_shop(shop_id: int) -> None:
    """Ask Shopify what has changed in one shop and was never delivered."""
    if comparing.compare(shop_id):
        wake("webhooks.compare_shop", shop_id)


@periodic("webhooks.compare", every_seconds=600)
def compare() -> None:
    """Ring for shops whose daily comparison with Shopify is due."""
    comparing.ring_for_due()


@periodic("webhooks.sweep", every_seconds=5)
def sweep() -> None:
    """Ring for events that wait: lost bells, and misses whose time has come."""
    inbox.ring_for_waiting()


@periodic("webhooks.forget", every_seconds=86_400)
def forget() -> None:
    """Delete events that were done a month ago."""
    inbox.forget_processed()
