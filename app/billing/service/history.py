"""What a shop has bought, been charged and been given, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.billing import queries
from app.billing.errors import InvalidFilter
from app.core.errors import ValidationFailed
from app.core.http.pagination import Page
from app.core.uow import unit_of_work

EVERYTHING = ("purchase", "invoice", "included")
STATUSES = frozenset({"pending", "completed", "failed", "refunded"})
PURCHASE = "purchase"
# The clients' words for movements of credits, and the ledger's kinds behind each.
MOVEMENTS = {
    "credit": ("purchase", "grant", "reinstatement"),
    "debit": ("capture", "reversal"),
    "refund": ("refund",),
    "adjustment": ("adjustment", "lapse", "settlement"),
}
TYPES = frozenset({PURCHASE, *MOVEMENTS})
TAKES = dict.fromkeys(("capture", "reversal", "lapse", "settlement"), -1)


@dataclass(frozen=True)
class Wanted:
    """Which part of the history. All may be left out."""

    page: int
    page_size: int
    type: str | None = None
    status: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def history(shop_id: int, wanted: Wanted) -> Page[Any]:
    """One page. Raises InvalidFilter, and ValidationFailed when the time ends before it starts."""
    if wanted.type is not None and wanted.type not in TYPES:
        raise InvalidFilter(field="type")
    if wanted.status is not None and wanted.status not in STATUSES:
        raise InvalidFilter(field="status")
    if wanted.starts_at and wanted.ends_at and wanted.starts_at > wanted.ends_at:
        raise ValidationFailed("startDate", "must not be after endDate")
    rows = _rows(shop_id, wanted.type)
    conditions = queries.within(rows, wanted.starts_at, wanted.ends_at)
    if wanted.status:
        conditions.append(rows.c.status == wanted.status)
    newest, count = queries.page_of(rows, wanted.page, wanted.page_size, *conditions)
    with unit_of_work(shop_id) as session:
        total = session.scalar(count) or 0
        found = session.execute(newest).all() if total else []
    return Page(found, total, wanted.page, wanted.page_size)


def _rows(shop_id: int, type: str | None) -> Any:
    if type in MOVEMENTS:
        return queries.movements(shop_id, MOVEMENTS[type], TAKES)
    return queries.history(shop_id, (PURCHASE,) if type == PURCHASE else EVERYTHING)
