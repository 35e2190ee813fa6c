"""Doorbells of discounts. Harmless twice, late or never: codes that Shopify does not know wait as rows."""

from __future__ import annotations

from app.core.jobs import doorbell, periodic
from app.core.queue import wake
from app.discounts.service import filling


@doorbell("discounts.fill")
def fill(shop_id: int) -> None:
    """Tell Shopify of the shop's new codes."""
    if filling.fill(shop_id):
        wake("discounts.fill", shop_id)


@periodic("discounts.sweep", every_seconds=60)
def sweep() -> None:
    """Ring where codes wait to be told of."""
    for shop_id in filling.shops_with_unfinished_pools():
        wake("discounts.fill", shop_id)
