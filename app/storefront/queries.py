"""The storefront's reads, and the writes that must be one statement."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, text
from sqlalchemy.engine import Row

from app.core.uow import require_unit_of_work
from app.storefront.models import OptInConfirmation

# A stranger may fill what is empty and change nothing that is known. The tag is added once; a contact with
# as many tags as the contact page allows keeps them.
ADMIT = text("""
    INSERT INTO contacts (shop_id, phone, region, first_name, last_name, gender, birth_date, tags)
    VALUES (:shop_id, :phone, :region, :first_name, :last_name, :gender, :birth_date,
            ARRAY[CAST(:tag AS text)])
    ON CONFLICT (shop_id, phone) DO UPDATE SET
      first_name = coalesce(contacts.first_name, excluded.first_name),
      last_name = coalesce(contacts.last_name, excluded.last_name),
      gender = coalesce(contacts.gender, excluded.gender),
      birth_date = coalesce(contacts.birth_date, excluded.birth_date),
      tags = CASE WHEN contacts.tags @> excluded.tags OR cardinality(contacts.tags) >= :tags_max
                  THEN contacts.tags ELSE contacts.tags || excluded.tags END,
      updated_at = now()
    RETURNING id""")

# One statement decides who used the link: two taps at once confirm once.
USE = text("""
    UPDATE opt_in_confirmations SET confirmed_at = now()
    WHERE shop_id = :shop_id AND id = :id AND confirmed_at IS NULL AND expires_at > now()
    RETURNING id""")

# Names of people who never answered are not ours to keep.
FORGET_EXPIRED = text("DELETE FROM opt_in_confirmations WHERE shop_id = :shop_id AND expires_at <= now()")

IS_OPTED_IN = text("""
    SELECT 1 FROM contacts WHERE shop_id = :shop_id AND phone = :phone AND consent = 'opted_in'""")


def admit(shop_id: int, person: dict[str, Any], *, tags_max: int) -> int:
    """Make the person a contact, or fill the gaps of the one with that number; gives its id."""
    given = {"shop_id": shop_id, "tags_max": tags_max, **person}
    contact_id: int = require_unit_of_work().execute(ADMIT, given).scalar_one()
    return contact_id


def use(shop_id: int, confirmation_id: int) -> bool:
    """Mark a confirmation as used; False when it was used before or is too old."""
    used: Row[Any] | None = (
        require_unit_of_work().execute(USE, {"shop_id": shop_id, "id": confirmation_id}).first()
    )
    return used is not None


def forget_expired(shop_id: int) -> None:
    """Delete the shop's confirmations that are too old to be used."""
    require_unit_of_work().execute(FORGET_EXPIRED, {"shop_id": shop_id})


def is_opted_in(shop_id: int, phone: str) -> bool:
    """Whether the number belongs to a contact who consents already."""
    found = require_unit_of_work().execute(IS_OPTED_IN, {"shop_id": shop_id, "phone": phone})
    return found.first() is not None


def waiting(shop_id: int, phone: str) -> OptInConfirmation | None:
    """The confirmation that this number has been asked for."""
    return require_unit_of_work().scalar(
        select(OptInConfirmation).where(
            OptInConfirmation.shop_id == shop_id,
            OptInConfirmation.phone == phone,
            OptInConfirmation.confirmed_at.is_(None),
        )
    )
