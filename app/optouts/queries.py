"""Reading what an opt-out link is about."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Row

from app.core.uow import require_unit_of_work

# A row also for a number that is no contact (any more).
PERSON = text("""
    SELECT c.id AS contact_id, c.first_name, c.last_name, coalesce(c.consent, 'unknown') AS consent,
           s.phone IS NOT NULL AS is_suppressed
    FROM (VALUES (CAST(:shop_id AS bigint), CAST(:phone AS text))) AS asked (shop_id, phone)
    LEFT JOIN contacts c ON c.shop_id = asked.shop_id AND c.phone = asked.phone
    LEFT JOIN suppressions s ON s.shop_id = asked.shop_id AND s.phone = asked.phone""")
SUPPRESSED_BY = text("SELECT source FROM suppressions WHERE shop_id = :shop_id AND phone = :phone")
SHOP_BY_ID = text("SELECT id FROM shops WHERE id = :shop_id")

# One index probe per shop: the contacts' key leads with the shop.
SHOPS_THAT_KNOW = text("""
    SELECT s.id FROM shops s
    WHERE EXISTS (SELECT FROM contacts c WHERE c.shop_id = s.id AND c.phone = :phone)
    LIMIT 2""")


def person(shop_id: int, phone: str) -> Row[Any]:
    """Who has this number in this shop, and whether it has opted out."""
    return require_unit_of_work().execute(PERSON, {"shop_id": shop_id, "phone": phone}).one()


def suppressed_by(shop_id: int, phone: str) -> str | None:
    """What made this number opt out; None when it has not."""
    source: str | None = require_unit_of_work().scalar(SUPPRESSED_BY, {"shop_id": shop_id, "phone": phone})
    return source


def shop_exists(shop_id: int) -> bool:
    """Whether there is such a shop, installed or not. Across shops."""
    return require_unit_of_work().scalar(SHOP_BY_ID, {"shop_id": shop_id}) is not None


def only_shop_that_knows(phone: str) -> int | None:
    """The one shop that has this number among its contacts; None for none or several. Across shops."""
    shops = require_unit_of_work().scalars(SHOPS_THAT_KNOW, {"phone": phone}).all()
    return shops[0] if len(shops) == 1 else None
