"""Price caps: the most credits that one text of a shop may cost, anywhere or in a country.

Whose text would cost more gets none. Where both caps speak, the lower one counts; 0 for a country is never.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    case,
    column,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    values,
)
from sqlalchemy.orm import aliased

from app.core.activity import record
from app.core.errors import ValidationFailed
from app.core.uow import require_unit_of_work, unit_of_work
from app.messaging import queries
from app.messaging.models import CallingArea, PriceCap
from app.messaging.pricing import credits_of
from app.messaging.text.template import compile_template

EVERYWHERE = "*"
NOWHERE = "ZZ"  # the country of a number that no area begins
PREFIX_LENGTHS = (4, 3, 2, 1)  # the longest one that is known says where a number is
AREA_LENGTH = 5  # a phone's characters that these look at: the plus sign, too
OVER_CAP = "over_price_cap"


@dataclass(frozen=True)
class Caps:
    """A shop's caps in credits; None and absent are no cap."""

    per_message: int | None = None
    by_country: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.per_message is not None or bool(self.by_country)

    def of(self, country: str) -> int | None:
        """The cap that counts in a country."""
        found = [cap for cap in (self.per_message, self.by_country.get(country)) if cap is not None]
        return min(found, default=None)

    def allow(self, country: str, credits: int) -> bool:
        """Whether a text to a country may cost so much."""
        cap = self.of(country)
        return cap is None or credits <= cap


UNCAPPED = Caps()


def read_caps(shop_id: int) -> Caps:
    """The shop's caps."""
    with unit_of_work(shop_id):
        return caps_of(shop_id)


def caps_of(shop_id: int) -> Caps:
    """The shop's caps. A step."""
    chosen = select(PriceCap.country, PriceCap.credits).where(PriceCap.shop_id == shop_id)
    rows = require_unit_of_work().execute(chosen.order_by(PriceCap.country))
    found: dict[str, int] = {one.country: one.credits for one in rows}
    return Caps(found.pop(EVERYWHERE, None), found)


def replace_caps(shop_id: int, caps: Caps) -> Caps:
    """Let these be all the caps of the shop, whatever there was before. Two at once take turns.

    Raises ValidationFailed for a country that no number is known to be of.
    """
    rows = {EVERYWHERE: caps.per_message, **caps.by_country}
    kept = [
        {"shop_id": shop_id, "country": country, "credits": cap}
        for country, cap in rows.items()
        if cap is not None
    ]
    with unit_of_work(shop_id) as session:
        known = {NOWHERE, *session.scalars(select(CallingArea.country).distinct())}
        if unknown := sorted(caps.by_country.keys() - known):
            raise ValidationFailed("countries", f"no phone number is of {unknown[0][:20]}")
        session.execute(queries.TAKE_TURN_OF_CAPS, {"shop_id": shop_id})
        session.execute(delete(PriceCap).where(PriceCap.shop_id == shop_id))
        if kept:
            session.execute(insert(PriceCap), kept)
        record(shop_id, "price_caps.changed", "shop", shop_id, countries=len(caps.by_country))
        return caps_of(shop_id)


def within(caps: Caps, text: str, people: Select[Any]) -> Select[Any]:
    """`people` without those for whom a frozen `text` costs more than the cap; the columns stay.

    Without caps it is the same query, so that nobody pays for what he does not use.
    """
    if not caps:
        return people
    audience = people.subquery("uncapped")
    price = credits_of(compile_template(text), audience)
    source: FromClause = audience
    limit: ColumnElement[Any] = literal(caps.per_message, Integer)
    if caps.by_country:
        source, country = with_country(audience, audience.c.phone)
        own = {code: caps.of(code) for code in caps.by_country}
        limit = case(own, value=country, else_=limit)
    return select(*audience.c).select_from(source).where(or_(limit.is_(None), price <= limit))


def with_country(source: FromClause, phone: ColumnElement[Any]) -> tuple[FromClause, ColumnElement[str]]:
    """`source` joined to what the first digits of `phone` say, and the country as an expression of it."""
    countries: list[Any] = []
    for length in PREFIX_LENGTHS:
        area = aliased(CallingArea, name=f"area_{length}")
        source = source.outerjoin(area, area.prefix == func.substr(phone, 2, length))
        countries.append(area.country)
    return source, func.coalesce(*countries, NOWHERE)


def countries_of(phones: Collection[str]) -> dict[str, str]:
    """The country of each phone, in one read. A step."""
    if not phones:
        return {}
    given = values(column("phone", String), name="given").data([(phone,) for phone in sorted(set(phones))])
    source, country = with_country(given, given.c.phone)
    found = require_unit_of_work().execute(select(given.c.phone, country).select_from(source))
    return {phone: str(known) for phone, known in found}
