"""What a shop is told about its money: once while it lasts, and again when it comes again."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import select

from app.core.cache import changed
from app.core.clock import now
from app.core.uow import across_shops, require_unit_of_work, unit_of_work
from app.purchases import queries
from app.purchases.errors import AlertNotFound
from app.purchases.models import AlertKind, BillingAlert


def alerts_of(shop_id: int) -> Sequence[BillingAlert]:
    """What is the matter now, the newest first; also what the shop has dismissed and still lasts."""
    with unit_of_work(shop_id) as session:
        lasting = (BillingAlert.shop_id == shop_id, BillingAlert.closed_at.is_(None))
        return session.scalars(
            select(BillingAlert).where(*lasting).order_by(BillingAlert.since.desc(), BillingAlert.id.desc())
        ).all()


def dismiss(shop_id: int, alert_id: int) -> BillingAlert:
    """Let an alert be out of sight until it is over and comes again. Repeating it keeps the first moment.

    Raises AlertNotFound.
    """
    with unit_of_work(shop_id) as session:
        alert = session.get(BillingAlert, alert_id, with_for_update=True)
        if alert is None:
            raise AlertNotFound
        alert.dismissed_at = alert.dismissed_at or now()
        changed(shop_id, "billing")
    return alert


def tell(shop_id: int, kind: AlertKind, **figures: int | str | None) -> bool:
    """Raise an alert unless it is raised already; True when this call did it. A step."""
    values = {"shop_id": shop_id, "kind": str(kind), "figures": json.dumps(figures), "now": now()}
    is_new = require_unit_of_work().scalar(queries.RAISE, values) is not None
    if is_new:
        changed(shop_id, "billing")
    return is_new


def end(shop_id: int, *kinds: AlertKind) -> None:
    """Close alerts that are over. A step."""
    values = {"shop_id": shop_id, "kinds": [str(kind) for kind in kinds], "now": now()}
    require_unit_of_work().execute(queries.CLOSE, values)
    changed(shop_id, "billing")


def watch() -> int:
    """Raise and close what follows from balances, for all shops in two statements. How many changed."""
    with across_shops("balances are watched in every shop") as session:
        raised = session.execute(queries.RAISE_BALANCES, {"now": now()}).all()
        closed = session.execute(queries.CLOSE_BALANCES, {"now": now()}).all()
        for shop_id in {row.shop_id for row in (*raised, *closed)}:
            changed(shop_id, "billing")
    return len(raised) + len(closed)
