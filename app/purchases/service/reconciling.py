"""What webhooks did not bring: sessions that were paid at Stripe and are not paid here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import structlog
from sqlalchemy import select

from app.core.clock import now
from app.core.uow import across_shops, unit_of_work
from app.integrations.stripe.client import as_dict, is_configured, stripe_client
from app.integrations.stripe.errors import StripeObjectMissing
from app.purchases import queries
from app.purchases.models import Purchase, PurchaseKind
from app.purchases.service import checkout, fulfilling, recharging, reversing
from app.purchases.service.finding import is_of_a_purchase

log = structlog.get_logger(__name__)
TASK = "purchases.reconcile"
FIRST_LOOK = timedelta(days=7)
SESSION_LIVES = timedelta(hours=25)
EVENTS_COME_WITHIN = timedelta(hours=1)
AT_ONCE = 500
PAGE = 100


def reconcile(since: datetime | None = None) -> Counter[str]:
    """Fulfil what was paid and never told of, and follow what went back. Words of what was found, counted.

    Looks at Stripe's sessions since the last time that this was done to the end, or `since`; at our own
    purchases that wait longer than an event takes; and at Stripe's refunds and disputes of that time.
    """
    found: Counter[str] = Counter()
    if not is_configured():
        return found
    since = since or _last_looked()
    for page in pages("sessions", since):
        found.update(_catch_up(page))
    for shop_id, purchase_id in _open():
        found[_again(shop_id, purchase_id)] += 1
    for name in ("refunds", "disputes"):
        for page in pages(name, since):
            for payment in {str(one["payment_intent"]) for one in page if one.get("payment_intent")}:
                found[reversing.settle(payment)] += 1
    if found["credited"]:
        log.warning("payments_were_not_told", credited=found["credited"])
    return found


def _last_looked() -> datetime:
    with across_shops("reconciling belongs to no shop") as session:
        last = session.scalar(queries.LAST_RECONCILED, {"task": TASK})
    return (last or now() - FIRST_LOOK) - SESSION_LIVES


def pages(name: str, since: datetime, *, size: int = PAGE) -> Iterator[list[dict[str, Any]]]:
    """Stripe's objects since a moment, a page at a time."""
    wish: Any = {"created": {"gte": int(since.timestamp())}, "limit": size}
    with stripe_client() as stripe:
        lists = {
            "sessions": stripe.v1.checkout.sessions,
            "refunds": stripe.v1.refunds,
            "disputes": stripe.v1.disputes,
        }
        things = lists[name].list(wish).auto_paging_iter()  # type: ignore[attr-defined]
        while page := [as_dict(thing) for thing in islice(things, size)]:
            yield page


def _catch_up(page: Sequence[dict[str, Any]]) -> list[str]:
    """Fulfil the sessions of a page that were paid and that we do not have so."""
    paid = {
        str(one["id"]): one for one in page if one["payment_status"] != "unpaid" and is_of_a_purchase(one)
    }
    with across_shops("Stripe lists every shop's sessions") as session:
        known = set(session.scalars(queries.KNOWN_SESSIONS, {"sessions": list(paid)}))
    return [fulfilling.fulfil(number) for number in paid if number not in known]


def _open() -> list[tuple[int, int]]:
    values = {"before": now() - EVENTS_COME_WITHIN, "most": AT_ONCE}
    with across_shops("purchases wait in every shop") as session:
        return [(row.shop_id, row.id) for row in session.execute(queries.OPEN, values)]


def _again(shop_id: int, purchase_id: int) -> str:
    with unit_of_work(shop_id) as session:
        mine = (Purchase.shop_id == shop_id, Purchase.id == purchase_id)
        purchase = session.scalars(select(Purchase).where(*mine)).one()
    if purchase.kind == PurchaseKind.RECHARGE:
        return recharging.charge(shop_id, purchase_id)
    try:
        return fulfilling.apply_session(checkout.read_session(str(purchase.stripe_session_id)))
    except StripeObjectMissing:
        return "unmatched"
