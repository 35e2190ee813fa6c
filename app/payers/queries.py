"""Reads and writes of billing profiles, each one statement: whoever comes second changes nothing."""

from __future__ import annotations

from sqlalchemy import text

from app.core.uow import require_unit_of_work
from app.payers.models import Profile

# Of callers who race the first one's customer stays.
KEEP_CUSTOMER = text("""
    INSERT INTO billing_profiles AS p (shop_id, stripe_customer_id) VALUES (:shop_id, :customer_id)
    ON CONFLICT (shop_id) DO UPDATE
      SET stripe_customer_id = coalesce(p.stripe_customer_id, excluded.stripe_customer_id), updated_at = now()
    RETURNING stripe_customer_id, pushed_version < version AS is_behind""")
SHOP_OF_CUSTOMER = text("SELECT shop_id FROM billing_profiles WHERE stripe_customer_id = :customer_id")


def profile_of(shop_id: int) -> Profile | None:
    """The shop's profile as it is now. A step."""
    return require_unit_of_work().get(Profile, shop_id, populate_existing=True)
