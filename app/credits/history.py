"""Reading the ledger newest first: what a shop has bought and what has moved lately. Steps; no writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from app.core.uow import require_unit_of_work
from app.credits.models import Transfer, TransferKind

# A hold is not spent yet and a release gives back what was never spent: neither is news to a merchant.
NEWS = (
    TransferKind.PURCHASE,
    TransferKind.GRANT,
    TransferKind.ALLOWANCE,
    TransferKind.CAPTURE,
    TransferKind.REFUND,
)
COLUMNS: tuple[Any, ...] = (
    Transfer.id,
    Transfer.kind,
    Transfer.amount,
    Transfer.reason,
    Transfer.run_id,
    Transfer.message_id,
    Transfer.created_at,
)


def newest_movements(shop_id: int, limit: int) -> Sequence[Row[Any]]:
    """The shop's latest gains, charges and refunds, the newest first."""
    newest = select(*COLUMNS).where(Transfer.shop_id == shop_id, Transfer.kind.in_(NEWS))
    return require_unit_of_work().execute(newest.order_by(Transfer.id.desc()).limit(limit)).all()


def purchases(shop_id: int, starts_at: datetime, ends_at: datetime) -> Sequence[Row[Any]]:
    """The credits that the shop bought in the time, the newest first."""
    bought = select(*COLUMNS).where(
        Transfer.shop_id == shop_id,
        Transfer.kind == TransferKind.PURCHASE,
        Transfer.created_at >= starts_at,
        Transfer.created_at < ends_at,
    )
    return require_unit_of_work().execute(bought.order_by(Transfer.created_at.desc())).all()
