"""Reading orders and checkouts by the handful."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, text

from app.core.uow import require_unit_of_work
from app.orders.models import Checkout, Fulfilment, Order

# For each (contact, moment): has an order come after it that still stands? In the order of the question.
BOUGHT_SINCE = text("""
    SELECT EXISTS (
      SELECT FROM orders WHERE orders.shop_id = :shop_id AND orders.contact_id = asked.contact_id
        AND orders.placed_at > asked.since AND orders.cancelled_at IS NULL)
    FROM unnest(CAST(:contact_ids AS bigint[]), CAST(:sinces AS timestamptz[]))
      WITH ORDINALITY AS asked (contact_id, since, place)
    ORDER BY asked.place""")

# A checkout was bought after all when it says so itself, or when an order came of it or of its cart.
COMPLETED = text("""
    SELECT c.id FROM checkouts c
    WHERE c.shop_id = :shop_id AND c.id = ANY(CAST(:ids AS bigint[]))
      AND (c.completed_at IS NOT NULL OR EXISTS (
        SELECT FROM orders o WHERE o.shop_id = c.shop_id AND o.checkout_token = c.token))""")

FIRST_AND_LAST = text("""
    SELECT min(placed_at), max(placed_at) FROM orders
    WHERE shop_id = :shop_id AND contact_id = :contact_id AND cancelled_at IS NULL""")


def bought_since(shop_id: int, contact_ids: Sequence[int], sinces: Sequence[datetime]) -> Sequence[bool]:
    """For each pair, whether the contact has bought after that moment. One statement."""
    values = {"shop_id": shop_id, "contact_ids": list(contact_ids), "sinces": list(sinces)}
    return require_unit_of_work().scalars(BOUGHT_SINCE, values).all()


def first_and_last(shop_id: int, contact_id: int) -> tuple[datetime | None, datetime | None]:
    """When the contact placed the first and the last of the orders that still stand."""
    values = {"shop_id": shop_id, "contact_id": contact_id}
    first_at, last_at = require_unit_of_work().execute(FIRST_AND_LAST, values).one()
    return first_at, last_at


def completed_checkouts(shop_id: int, ids: Sequence[int]) -> set[int]:
    """Those of the checkouts that became an order."""
    return set(require_unit_of_work().scalars(COMPLETED, {"shop_id": shop_id, "ids": list(ids)}))


def orders_by_id(shop_id: int, ids: Sequence[int]) -> dict[int, Order]:
    """Some of the shop's orders."""
    found = select(Order).where(Order.shop_id == shop_id, Order.id.in_(ids))
    return {order.id: order for order in require_unit_of_work().scalars(found)}


def order_by_shopify_id(shop_id: int, shopify_id: int) -> Order | None:
    """The order, locked, as it is now."""
    return require_unit_of_work().scalar(
        select(Order)
        .where(Order.shop_id == shop_id, Order.shopify_id == shopify_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def fulfilment_by_shopify_id(shop_id: int, shopify_id: int) -> Fulfilment | None:
    """The parcel, locked, as it is now."""
    return require_unit_of_work().scalar(
        select(Fulfilment)
        .where(Fulfilment.shop_id == shop_id, Fulfilment.shopify_id == shopify_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def checkout_by_token(shop_id: int, token: str) -> Checkout | None:
    """The checkout, locked, as it is now."""
    return require_unit_of_work().scalar(
        select(Checkout)
        .where(Checkout.shop_id == shop_id, Checkout.token == token)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
