"""What was sold, and by which texts. All steps; no writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.uow import require_unit_of_work
from app.orders import credit_queries as queries

NO_TEXT = "none"


@dataclass(frozen=True)
class Sold:
    """What orders in one currency brought that count for one source; of NO_TEXT those that count for none."""

    currency: str
    source: str
    source_id: int | None
    orders: int
    cents: int


def sold(shop_id: int, starts_at: datetime, ends_at: datetime) -> Sequence[Sold]:
    """What is left of the orders that were placed in the time, by currency and by what they count for.

    Test orders and cancelled ones are nowhere in it; what was paid back is taken off.
    """
    values = {"shop_id": shop_id, "starts_at": starts_at, "ends_at": ends_at}
    rows = require_unit_of_work().execute(queries.REVENUE, values)
    return [Sold(row.currency, row.source, row.source_id, row.orders, row.cents) for row in rows]


def conversions_of(shop_id: int, run_id: int) -> int:
    """How many orders count for a run."""
    values = {"shop_id": shop_id, "run_id": run_id}
    return int(require_unit_of_work().scalar(queries.CONVERSIONS, values) or 0)
