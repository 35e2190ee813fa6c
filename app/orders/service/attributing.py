"""Counting orders for the texts that brought them about.

The order goes to the last click within ATTRIBUTION_WINDOW_DAYS before it, else to the text that gave the
discount code it was bought with. app/links says what a click is: machines that look at links do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.core.cache import changed
from app.core.clock import now
from app.core.settings import settings
from app.core.uow import across_shops, require_unit_of_work, unit_of_work
from app.orders import credit_queries as queries
from app.orders.models import Order

BATCH = 500
# A click that came before an order may commit after the order was taken in, but not as late as this.
RECENT = timedelta(hours=1)


def attribute(shop_id: int, order: Order, *, anew: bool) -> None:
    """Count the order for its text, as far as that is known now; `anew` when the order has changed. A step.

    Idempotent: an order is counted for one text at most, by its key, and for the same one as long as the
    facts are the same. An order whose contact was deleted stays counted for what it was.
    """
    was_deleted = order.contact_id is None and order.contact_as_of is not None
    if anew and not was_deleted:
        require_unit_of_work().execute(queries.FORGET, {"shop_id": shop_id, "order_id": order.id})
    _attribute(shop_id, [order.id])
    changed(shop_id, "figures")


def shops_with_new_orders() -> Sequence[int]:
    """The shops that have taken in orders lately."""
    with across_shops("new orders of all shops are looked at once more") as session:
        return session.scalars(queries.SHOPS_WITH_NEW_ORDERS, {"since": now() - RECENT}).all()


def attribute_new_orders(shop_id: int) -> None:
    """Decide once more about the orders that came lately: a click may have committed after its order."""
    since, after = now() - RECENT, 0
    while ids := _new_orders(shop_id, since, after):
        with unit_of_work(shop_id):
            _attribute(shop_id, ids)
        after = ids[-1]


def _new_orders(shop_id: int, since: datetime, after: int) -> Sequence[int]:
    values = {"shop_id": shop_id, "since": since, "after": after, "most": BATCH}
    with unit_of_work(shop_id) as session:
        return session.scalars(queries.NEW_ORDERS, values).all()


def _attribute(shop_id: int, ids: Sequence[int]) -> None:
    values = {"shop_id": shop_id, "ids": list(ids), "days": settings().attribution_window_days}
    if require_unit_of_work().execute(queries.ATTRIBUTE, values).all():
        changed(shop_id, "figures")
