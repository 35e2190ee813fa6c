"""What Shopify says about a shop, taken over where it is news.

The merchant may have chosen another zone or currency here: only what Shopify says differently than the last
time replaces that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.connections import queries
from app.core.clock import now
from app.integrations.shopify.events import instant
from app.shops import service as shops


def learn(shop_id: int, facts: Mapping[str, Any], updated_at: object) -> bool:
    """Take in name, currency, timezone, country as of Shopify's `updated_at`. A step.

    False when something newer is known, or the shop has no connection. Idempotent.
    """
    told = {name: fact for name, fact in facts.items() if isinstance(fact, str) and _is_storable(fact)}
    values = {"shop_id": shop_id, "known": json.dumps(told), "at": instant(updated_at) or now()}
    row = queries.first_row(queries.SET_KNOWN, values)
    if row is None:
        return False
    shops.describe(shop_id, **{name: fact for name, fact in told.items() if row.known.get(name) != fact})
    return True


def _is_storable(fact: str) -> bool:
    """PostgreSQL keeps neither NUL nor half of a surrogate pair."""
    return "\x00" not in fact and not any("\ud800" <= letter <= "\udfff" for letter in fact)
