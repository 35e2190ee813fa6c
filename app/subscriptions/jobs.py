"""Doorbells of subscriptions. Harmless twice, late or never: a daily comparison follows anyway."""

from __future__ import annotations

from app.core.jobs import doorbell, periodic
from app.subscriptions.service import sweeping


@doorbell("subscriptions.refresh")
def refresh(shop_id: int) -> None:
    """Make one shop's subscription what Stripe says."""
    sweeping.refresh(shop_id)


@doorbell("subscriptions.cancel_superseded")
def cancel_superseded(shop_id: int) -> None:
    """Cancel at Stripe what another subscription of the shop has replaced."""
    sweeping.cancel_superseded(shop_id)


@periodic("subscriptions.sweep", every_seconds=60)
def sweep() -> None:
    """Ring for replaced subscriptions that still run; end unpaid ones that were given up."""
    sweeping.sweep()


@periodic("subscriptions.compare", every_seconds=600)
def compare() -> None:
    """Ring for the subscriptions that nobody has compared with Stripe for a day."""
    sweeping.compare()
