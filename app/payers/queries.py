"""Reads and writes of billing profiles, each one statement: whoever comes second changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, select, text

from app.core.uow import require_unit_of_work
from app.payers.models import Profile

# Of callers who race the first one's customer stays.
KEEP_CUSTOMER = text("""
    INSERT INTO billing_profiles AS p (shop_id, stripe_customer_id) VALUES (:shop_id, :customer_id)
    ON CONFLICT (shop_id) DO UPDATE
      SET stripe_customer_id = coalesce(p.stripe_customer_id, excluded.stripe_customer_id), updated_at = now()
    RETURNING stripe_customer_id, pushed_version < version AS is_behind""")
SHOP_OF_CUSTOMER = text("SELECT shop_id FROM billing_profiles WHERE stripe_customer_id = :customer_id")
OPEN_PROFILE = text("INSERT INTO billing_profiles (shop_id) VALUES (:shop_id) ON CONFLICT DO NOTHING")

# `push_at` is a lease while somebody pushes, and a pause after a failure. One pusher at a time: a slow call
# with old words must not arrive after a quick one with new words.
TAKE_PUSH = text("""
    UPDATE billing_profiles SET push_at = :until, updated_at = now()
    WHERE shop_id = :shop_id AND pushed_version < version AND push_at <= :now
    RETURNING 1""")
# Whoever changed the profile meanwhile is pushed next.
END_PUSH = text("""
    UPDATE billing_profiles SET pushed_version = :version, push_tries = 0, push_at = :now, updated_at = now()
    WHERE shop_id = :shop_id AND pushed_version < :version
    RETURNING version > pushed_version AS is_behind""")
PUT_OFF_PUSH = text("""
    UPDATE billing_profiles SET push_tries = push_tries + 1, updated_at = now(),
      push_at = :now + least(interval '1 minute' * 2 ^ least(push_tries, 10), interval '1 hour')
    WHERE shop_id = :shop_id AND pushed_version < version""")

TAKE_CHECK = text("""
    UPDATE billing_profiles SET vat_check_at = :until, updated_at = now()
    WHERE shop_id = :shop_id AND vat_check_at <= :now AND vat_number IS NOT NULL
    RETURNING 1""")
# Only for the number that was asked for; another one has come with another version.
END_CHECK = text("""
    UPDATE billing_profiles SET vat_status = :status, vat_source = :source, vat_checked_at = :at,
      vat_consultation = :consultation, vat_check_at = :again_at, vat_tries = 0, updated_at = now()
    WHERE shop_id = :shop_id AND vat_version = :vat_version AND vat_number IS NOT NULL
    RETURNING 1""")
# What was said once stands while nobody answers; what was never said becomes "unavailable".
PUT_OFF_CHECK = text("""
    UPDATE billing_profiles SET vat_tries = vat_tries + 1, updated_at = now(),
      vat_check_at = :now + least(interval '1 minute' * 2 ^ least(vat_tries, 10), interval '6 hours'),
      vat_status = CASE vat_status WHEN 'pending' THEN 'unavailable' ELSE vat_status END
    WHERE shop_id = :shop_id AND vat_version = :vat_version AND vat_number IS NOT NULL
    RETURNING vat_tries""")

DUE_PUSHES = text("""
    SELECT shop_id FROM billing_profiles WHERE pushed_version < version AND push_at <= :now
    ORDER BY push_at LIMIT :limit""")
DUE_CHECKS = text("""
    SELECT shop_id FROM billing_profiles WHERE vat_check_at <= :now ORDER BY vat_check_at LIMIT :limit""")


def profile_of(shop_id: int) -> Profile | None:
    """The shop's profile as it is now. A step."""
    return require_unit_of_work().get(Profile, shop_id, populate_existing=True)


def locked_profile(shop_id: int) -> Profile:
    """The shop's profile, opened if there was none, for this unit of work alone. A step."""
    session = require_unit_of_work()
    session.execute(OPEN_PROFILE, {"shop_id": shop_id})
    mine = select(Profile).where(Profile.shop_id == shop_id).with_for_update()
    return session.scalars(mine.execution_options(populate_existing=True)).one()


def first_row(statement: Any, values: Mapping[str, Any]) -> Row[Any] | None:
    """Run one of the statements above; its row, or None when it changed nothing. A step."""
    return require_unit_of_work().execute(statement, values).first()
