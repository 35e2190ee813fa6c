"""What others ask about orders and checkouts. All steps."""

from __future__ import annotations

from app.orders.queries import bought_since, completed_checkouts, orders_by_id

__all__ = ["bought_since", "completed_checkouts", "orders_by_id"]
