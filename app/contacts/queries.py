"""Reading contacts: the filtered list, the figures, who has a birthday, who may be texted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, exists, func, not_, select, text
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.engine import RowMapping

from app.contacts import search
from app.contacts.models import Consent, Contact, ContactCount, Suppression, audience_counts
from app.core.uow import require_unit_of_work

GROUPS = ("all", "male", "female", "consented", "nonconsented")

# From the counters: a few rows, however many contacts there are.
FIGURES = text("""
SELECT coalesce(sum(n), 0) AS total,
  coalesce(sum(n) FILTER (WHERE consent = 'opted_in'), 0) AS opted_in,
  coalesce(sum(n) FILTER (WHERE consent = 'opted_out'), 0) AS opted_out,
  coalesce(sum(n) FILTER (WHERE consent = 'unknown'), 0) AS unknown,
  coalesce(sum(n) FILTER (WHERE gender = 'male'), 0) AS male,
  coalesce(sum(n) FILTER (WHERE gender = 'female'), 0) AS female,
  coalesce(sum(n) FILTER (WHERE gender = 'other'), 0) AS other,
  coalesce(sum(n) FILTER (WHERE gender = ''), 0) AS unspecified,
  coalesce(sum(n) FILTER (WHERE has_birth_date), 0) AS with_birth_date,
  coalesce(sum(n) FILTER (WHERE has_birth_date AND consent = 'opted_in'), 0) AS birthday_eligible
FROM contact_counts
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
    has_purchased: bool | None = None
    last_order_before: datetime | None = None
    last_order_after: datetime | None = None
    tags_any: tuple[str, ...] = ()
    tags_all: tuple[str, ...] = ()
    consent_source: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    list_id: int | None = None
    sort_by: str = "createdAt"
    sort_order: str = "desc"

    @property
    def is_countable(self) -> bool:
        """Whether the counters know how many there are."""
        others = replace(
            self,
            consent=None,
            group=None,
            gender=None,
            has_birth_date=None,
            is_subscribed=None,
            has_purchased=None,
            sort_by="createdAt",
            sort_order="desc",
        )
        return others == ContactFilter()


def matching(shop_id: int, wanted: ContactFilter) -> Select[Contact]:
    """The shop's contacts that meet every condition of `wanted`, except its list."""
    conditions = [
        search.condition(wanted.q) if wanted.q else None,
        *_countable(wanted, Contact),
        _either(wanted.has_birth_date, Contact.birth_date.is_not(None)),
        _either(wanted.has_purchased, Contact.orders_count > 0),
        Contact.last_order_at < wanted.last_order_before if wanted.last_order_before else None,
        Contact.last_order_at >= wanted.last_order_after if wanted.last_order_after else None,
        Contact.tags.bool_op("&&")(_texts(wanted.tags_any)) if wanted.tags_any else None,
        Contact.tags.bool_op("@>")(_texts(wanted.tags_all)) if wanted.tags_all else None,
        Contact.consent_source == wanted.consent_source if wanted.consent_source else None,
        Contact.created_at >= wanted.created_from if wanted.created_from else None,
        Contact.created_at < wanted.created_to if wanted.created_to else None,
    ]
    return select(Contact).where(
        Contact.shop_id == shop_id, *(condition for condition in conditions if condition is not None)
    )


def counted(shop_id: int, wanted: ContactFilter) -> int:
    """How many contacts `wanted` chooses, by the counters; it must be countable."""
    conditions = [
        *_countable(wanted, ContactCount),
        _either(wanted.has_birth_date, ContactCount.has_birth_date),
        _either(wanted.has_purchased, ContactCount.has_purchased),
    ]
    total = select(func.coalesce(func.sum(ContactCount.n), 0)).where(
        ContactCount.shop_id == shop_id, *(condition for condition in conditions if condition is not None)
    )
    return int(require_unit_of_work().scalar(total) or 0)


def _countable(wanted: ContactFilter, table: Any) -> list[ColumnElement[bool] | None]:
    """The conditions about columns that contacts and their counters have in common."""
    groups: dict[str, ColumnElement[bool]] = {
        "male": table.gender == "male",
        "female": table.gender == "female",
        "consented": table.consent == Consent.OPTED_IN,
        "nonconsented": table.consent != Consent.OPTED_IN,
    }
    return [
        table.consent == wanted.consent if wanted.consent else None,
        groups.get(wanted.group) if wanted.group else None,
        table.gender == wanted.gender if wanted.gender else None,
        _either(wanted.is_subscribed, table.consent != Consent.OPTED_OUT),
    ]


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


def counts_of_opted_in(shop_id: int) -> Select[Any]:
    """`opted_in` counted: how many (`n`) have each gender and birth date. The columns are this feature's API.

    Nobody on the suppression list is opted in (audit: opted_out_are_suppressed), so it need not be asked.
    """
    return select(audience_counts).where(audience_counts.c.shop_id == shop_id)


def birthdays(shop_id: int, *, today: date, days_ahead: int, most: int) -> Sequence[RowMapping]:
    """Opted-in contacts with a birthday from `today` to `days_ahead` days later, the soonest first."""
    given = {"shop_id": shop_id, "today": today, "days_ahead": days_ahead, "most": most}
    return require_unit_of_work().execute(BIRTHDAYS, given).mappings().all()


def _texts(words: Sequence[str]) -> Any:
    return cast(array(words), ARRAY(Text))


def _either(wanted: bool | None, yes: Any) -> ColumnElement[bool] | None:
    if wanted is None:
        return None
    condition: ColumnElement[bool] = yes if wanted else not_(yes)
    return condition
