"""What a credit was paid with: the one place where purchases meet the proof."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from app.billing.proof import queries
from app.core.uow import unit_of_work

# Stripe: its ids are a word for the kind of object, an underscore, and letters and digits.
STRIPE_ID = re.compile(r"\b(?:pi|cs|ch|in|re|du|dp|sub)_[A-Za-z0-9_]{6,255}\b")
PURCHASE = re.compile(r"stripe:purchase:(\d{1,18})(?::|$)")
OF_PAYMENTS = frozenset({"purchase", "reversal", "reinstatement", "allowance"})


def payment_lines(shop_id: int, rows: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """For each of these transfers that was paid for or paid back: the purchase, and Stripe's objects.

    They are named by the transfer's key and reason, and by the purchase that the key names. Opens a unit.
    """
    paid = [row for row in rows if row.kind in OF_PAYMENTS]
    if not paid:
        return
    named = {row.id: PURCHASE.match(row.key) for row in paid}
    ids = {row_id: int(found[1]) for row_id, found in named.items() if found}
    with unit_of_work(shop_id):
        purchases = queries.purchases(shop_id, sorted(set(ids.values())))
    for row in paid:
        purchase_id = ids.get(row.id)
        yield _line(row, purchase_id, purchases.get(purchase_id or 0))


def _line(row: Any, purchase_id: int | None, purchase: Any) -> dict[str, Any]:
    stripe = set(STRIPE_ID.findall(f"{row.key} {row.reason or ''}"))
    if purchase is not None:
        stripe |= {purchase.stripe_session_id, purchase.stripe_payment_intent_id} - {None}
    return {
        "type": "payment",
        "transfer": row.id,
        "purchase": purchase_id,
        "credits": purchase.credits if purchase else None,
        "gross_cents": purchase.gross_cents if purchase else None,
        "currency": purchase.currency if purchase else None,
        "stripe": sorted(stripe),
    }
