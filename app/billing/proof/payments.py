"""What a bought credit was paid with. The narrow place where purchases meet the proof."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

# Stripe: its ids are a word for the kind of object, an underscore, and letters and digits.
STRIPE_ID = re.compile(r"\b(?:pi|cs|ch|in|re|du|dp|sub)_[A-Za-z0-9_]{6,255}\b")
PURCHASE = re.compile(r"stripe:purchase:(\d+)(?::|$)")
OF_PAYMENTS = frozenset({"purchase", "reversal", "reinstatement"})


def payment_lines(rows: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """For each of these transfers that was paid for or paid back: our purchase and Stripe's objects.

    Read from the transfer's key and reason, which name them.
    """
    for row in rows:
        if row.kind not in OF_PAYMENTS:
            continue
        purchase = PURCHASE.match(row.key)
        named = f"{row.key} {row.reason or ''}"
        yield {
            "type": "payment",
            "transfer": row.id,
            "purchase": int(purchase[1]) if purchase else None,
            "stripe": sorted(set(STRIPE_ID.findall(named))),
        }
