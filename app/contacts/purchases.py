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
TAKE_BACK = text("""
    UPDATE contacts SET orders_count = greatest(orders_count - 1, 0), updated_at = now()
    WHERE shop_id = :shop_id AND id = :contact_id""")


def record_order(shop_id: int, contact_id: int, placed_at: datetime) -> None:
    """Count one more order. A step; the caller knows that this order was not counted before."""
    _change(RECORD, shop_id, contact_id, placed_at=placed_at)


def take_back_order(shop_id: int, contact_id: int) -> None:
    """Count one order less: it was cancelled. A step; the caller knows that it was counted."""
    _change(TAKE_BACK, shop_id, contact_id)


def _change(statement: object, shop_id: int, contact_id: int, **values: object) -> None:
    require_unit_of_work().execute(statement, {"shop_id": shop_id, "contact_id": contact_id, **values})  # type: ignore[call-overload]
    changed(shop_id, "contacts")
