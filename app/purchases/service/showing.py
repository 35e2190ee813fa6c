"""Purchases as operators look at them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from app.core.uow import across_shops
from app.purchases import queries
from app.purchases.models import Purchase

NOT_SHOWN = frozenset({"payer"})  # names a business


def listed(*, status: str | None, domain: str | None, most: int) -> Sequence[Row[Any]]:
    """Purchases of all shops, the newest first."""
    with across_shops("an operator looks") as session:
        return session.execute(queries.LISTED, {"status": status, "domain": domain, "most": most}).all()


def facts(purchase_id: int) -> dict[str, Any] | None:
    """The columns of a purchase; None when there is none."""
    with across_shops("an operator looks") as session:
        row = session.scalar(select(Purchase).where(Purchase.id == purchase_id))
    if row is None:
        return None
    return {c.name: getattr(row, c.name) for c in Purchase.__table__.columns if c.name not in NOT_SHOWN}
