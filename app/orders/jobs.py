"""Doorbells of orders. Harmless twice, late or never: the orders wait."""

from __future__ import annotations

from app.core.jobs import periodic
from app.orders.service import attributing


@periodic("orders.attribute", every_seconds=300)
def attribute() -> None:
    """Look once more for which text the orders of the last hour count."""
    for shop_id in attributing.shops_with_new_orders():
        attributing.attribute_new_orders(shop_id)
