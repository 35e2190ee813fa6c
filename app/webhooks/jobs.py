"""Doorbells of the inbox. All are harmless twice, late or never: the rows wait."""

from __future__ import annotations

from rq.timeouts import BaseTimeoutException

from app.core.jobs import doorbell, periodic
from app.core.queue import wake
from app.webhooks.service import inbox, reports, shopify_events, texts


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


@periodic("webhooks.sweep", every_seconds=5)
def sweep() -> None:
    """Ring for events that wait: lost bells, and misses whose time has come."""
    inbox.ring_for_waiting()


@periodic("webhooks.forget", every_seconds=86_400)
def forget() -> None:
    """Delete events that were done a month ago."""
    inbox.forget_processed()
