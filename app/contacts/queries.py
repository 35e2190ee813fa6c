"""Reading contacts: the filtered list, the figures, who has a birthday, who may be texted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, literal, or_, select, text
from sqlalchemy.engine import RowMapping

from app.contacts.models import Consent, Contact, Suppression
from app.core.uow import require_unit_of_work

PHONE_PUNCTUATION = str.maketrans("", "", " +-().")
SORTABLE: dict[str, Any] = {
    "createdAt": Contact.created_at,
    "updatedAt": Contact.updated_at,
    "firstName": Contact.first_name,
    "lastName": Contact.last_name,
    "birthDate": Contact.birth_date,
}
GROUPS: dict[str, ColumnElement[bool] | None] = {
    "all": None,
    "male": Contact.gender == "male",
    "female": Contact.gender == "female",
    "consented": Contact.consent == Consent.OPTED_IN,
    "nonconsented": Contact.consent != Consent.OPTED_IN,
}

FIGURES = text("""
SELECT count(*) AS total,
  count(*) FILTER (WHERE consent = 'opted_in') AS opted_in,
  count(*) FILTER (WHERE consent = 'opted_out') AS opted_out,
  count(*) FILTER (WHERE consent = 'unknown') AS unknown,
  count(*) FILTER (WHERE gender = 'male') AS male,
  count(*) FILTER (WHERE gender = 'female') AS female,
  count(*) FILTER (WHERE gender = 'other') AS other,
  count(*) FILTER (WHERE gender IS NULL) AS unspecified,
  count(birth_date) AS with_birth_date,
  count(birth_date) FILTER (WHERE consent = 'opted_in') AS birthday_eligible
FROM contacts
WHERE shop_id = :shop_id
""")

# Adding whole years to 29 February gives the 28th in common years. `total` counts before the limit.
BIRTHDAYS = text("""
SELECT id, first_name, last_name, phone, email, birth_date, count(*) OVER () AS total
FROM (
  SELECT *, CAST(birth_date + make_interval(years => years_apart) AS date) AS this_year,
    CAST(birth_date + make_interval(years => years_apart + 1) AS date) AS next_year
  FROM (
    SELECT *,
      CAST(extract(year FROM CAST(:today AS date)) - extract(year FROM birth_date) AS int) AS years_apart
    FROM contacts
    WHERE shop_id = :shop_id AND birth_date IS NOT NULL AND consent = 'opted_in'
  ) AS aged
) AS dated
WHERE this_year BETWEEN :today AND CAST(:today AS date) + :days_ahead
   OR next_year BETWEEN :today AND CAST(:today AS date) + :days_ahead
ORDER BY CASE WHEN this_year >= :today THEN this_year ELSE next_year END, id
LIMIT :most
""")

SEGMENT_EXISTS = text("SELECT 1 FROM segments WHERE shop_id = :shop_id AND id = :list_id")
EXPLICIT_MEMBERS = text(
    "SELECT contact_id FROM segment_members WHERE shop_id = :shop_id AND segment_id = :list_id"
)


@dataclass(frozen=True)
class ContactFilter:
    """Which contacts, in which order. None means no such condition."""

    q: str | None = None
    consent: str | None = None
    group: str | None = None
    gender: str | None = None
    has_birth_date: bool | None = None
    is_subscribed: bool | None = None
    list_id: int | None = None
    sort_by: str = "createdAt"
    sort_order: str = "desc"


def matching(shop_id: int, wanted: ContactFilter) -> Select[Contact]:
    """The shop's contacts that meet every condition of `wanted`, except its list."""
    conditions = [
        _search(wanted.q) if wanted.q else None,
        Contact.consent == wanted.consent if wanted.consent else None,
        GROUPS[wanted.group] if wanted.group else None,
        Contact.gender == wanted.gender if wanted.gender else None,
        _either(wanted.has_birth_date, Contact.birth_date.is_not(None), Contact.birth_date.is_(None)),
        _either(
            wanted.is_subscribed,
            Contact.consent != Consent.OPTED_OUT,
            Contact.consent == Consent.OPTED_OUT,
        ),
    ]
    return select(Contact).where(
        Contact.shop_id == shop_id, *(condition for condition in conditions if condition is not None)
    )


def ordered(contacts: Select[Contact], wanted: ContactFilter) -> Select[Contact]:
    """`contacts` in the wanted order, the newest id deciding between equals; missing values come last."""
    column = SORTABLE[wanted.sort_by]
    if wanted.sort_order == "desc":
        first, second = column.desc(), Contact.id.desc()
    else:
        first, second = column.asc(), Contact.id.asc()
    if column.nullable:
        first = first.nulls_last()
    return contacts.order_by(first, second)


def explicit_members(shop_id: int, list_id: int) -> Select[int] | None:
    """The ids of the contacts that were put on a list by hand; None when the shop has no such list.

    Lists that are rules have none: the feature that knows the rules tells `service.resolve_lists_with`.
    """
    given = {"shop_id": shop_id, "list_id": list_id}
    if require_unit_of_work().execute(SEGMENT_EXISTS, given).first() is None:
        return None
    members = EXPLICIT_MEMBERS.bindparams(**given).columns(contact_id=Contact.id.type).subquery()
    return select(members.c.contact_id)


def opted_in(shop_id: int) -> Select[Any]:
    """Who may be texted: consent given, number not suppressed. The columns are this feature's API."""
    suppressed = exists().where(Suppression.shop_id == Contact.shop_id, Suppression.phone == Contact.phone)
    columns: tuple[Any, ...] = (
        Contact.id,
        Contact.phone,
        Contact.first_name,
        Contact.last_name,
        Contact.first_name_septets,
        Contact.first_name_utf16,
        Contact.last_name_septets,
        Contact.last_name_utf16,
        Contact.email,
    )
    return select(*columns).where(
        Contact.shop_id == shop_id, Contact.consent == Consent.OPTED_IN, ~suppressed
    )


def figures(shop_id: int) -> RowMapping:
    """The shop's contacts counted by consent, gender and birth date, in one statement."""
    return require_unit_of_work().execute(FIGURES, {"shop_id": shop_id}).mappings().one()


def birthdays(shop_id: int, *, today: date, days_ahead: int, most: int) -> Sequence[RowMapping]:
    """Opted-in contacts with a birthday from `today` to `days_ahead` days later, the soonest first."""
    given = {"shop_id": shop_id, "today": today, "days_ahead": days_ahead, "most": most}
    return require_unit_of_work().execute(BIRTHDAYS, given).mappings().all()


def _search(q: str) -> ColumnElement[bool]:
    part = f"%{_literal(q)}%"
    full_name = func.coalesce(Contact.first_name, "") + " " + func.coalesce(Contact.last_name, "")
    found = [full_name.ilike(part), Contact.email.ilike(part), literal(q) == Contact.tags.any_()]
    digits = q.translate(PHONE_PUNCTUATION)
    if digits.isascii() and digits.isdigit():
        found.append(Contact.phone.like(f"%{digits}%"))
    return or_(*found)


def _literal(part: str) -> str:
    return part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _either(
    wanted: bool | None, yes: ColumnElement[bool], no: ColumnElement[bool]
) -> ColumnElement[bool] | None:
    if wanted is None:
        return None
    return yes if wanted else no
