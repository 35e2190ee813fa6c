"""Builders of pools whose codes Shopify is taken to know, and what a test may ask about codes."""

from __future__ import annotations

from decimal import Decimal

from app.discounts.service import pools
from app.shops.models import Shop
from tests.build_messages import execute


def a_pool(shop: Shop, count: int, *, prefix: str = "SMS") -> int:
    """A pool of live codes; its id."""
    pool = pools.create_pool(shop.id, title="Ten off", percent=Decimal(10), count=count, prefix=prefix)
    execute(shop, "UPDATE discount_codes SET live_at = now() WHERE pool_id = :id", id=pool.id)
    execute(shop, "UPDATE discount_pools SET discount_id = 'gid://shopify/DiscountCodeNode/1'")
    return int(pool.id)


def given(shop: Shop) -> dict[int, str]:
    """Whose codes are whose: code by message id."""
    rows = execute(shop, "SELECT message_id, code FROM discount_codes WHERE message_id IS NOT NULL")
    return dict(map(tuple, rows))


def said(shop: Shop) -> dict[int, str]:
    """What the messages that may be sent say: code by message id."""
    rows = execute(
        shop,
        """SELECT id, merge ->> 'discount.code' AS code FROM messages
           WHERE merge ->> 'discount.code' IS NOT NULL AND state <> 'skipped'""",
    )
    return dict(map(tuple, rows))
