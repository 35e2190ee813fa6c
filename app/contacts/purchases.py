"""What a contact has bought, as counted on the contact."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from app.core.cache import changed
from app.core.uow import require_unit_of_work

RECORD = text("""
    UPDATE contacts SET orders_count = orders_count + 1,
      first_order_at = least(coalesce(first_order_at, :placed_at), :placed_at),
      last_order_at = greatest(coalesce(last_order_at, :placed_at), :placed_at), updated_at = now()
    WHERE shop_id = :shop_id AND id = :contact_id""")
# What is left of the orders tells the first and the last; who counts more orders than we know of keeps his.
TAKE_BACK = text("""
    UPDATE contacts SET orders_count = greatest(orders_count - 1, 0),
      first_order_at = coalesce(:first_at, CASE WHEN orders_count > 1 THEN first_order_at END),
      last_order_at = coalesce(:last_at, CASE WHEN orders_count > 1 THEN last_order_at END),
      updated_at = now()
    WHERE shop_id = :shop_id AND id = :contact_id""")
LOCK = text("SELECT 1 FROM contacts WHERE shop_id = :shop_id AND id = :contact_id FOR NO KEY UPDATE")


def take_turn(shop_id: int, contact_id: int) -> None:
    """Until the transaction ends nobody else counts this contact's orders. A step."""
    require_unit_of_work().execute(LOCK, {"shop_id": shop_id, "contact_id": contact_id})


def record_order(shop_id: int, contact_id: int, placed_at: datetime) -> None:
    """Count one more order. A step; the caller knows that this order was not counted before."""
    _change(RECORD, shop_id, contact_id, placed_at=placed_at)


def take_back_order(
    shop_id: int, contact_id: int, *, first_at: datetime | None, last_at: datetime | None
) -> None:
    """Count one order less: it was cancelled, or is somebody else's. A step; the caller knows that it was
    counted, has taken the contact's turn before it read when the first and the last one left were placed.
    """
    _change(TAKE_BACK, shop_id, contact_id, first_at=first_at, last_at=last_at)


def _change(statement: object, shop_id: int, contact_id: int, **values: object) -> None:
    require_unit_of_work().execute(statement, {"shop_id": shop_id, "contact_id": contact_id, **values})  # type: ignore[call-overload]
    changed(shop_id, "contacts")
