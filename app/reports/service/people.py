"""A shop's contacts in figures."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from app.contacts import queries as contacts
from app.reports import queries
from app.reports.service.days import rate


@dataclass(frozen=True)
class People:
    """The shop's contacts counted. `unsubscribed_since` is about the time that was asked for."""

    total: int = 0
    opted_in: int = 0
    opted_out: int = 0
    unknown: int = 0
    male: int = 0
    female: int = 0
    other: int = 0
    unspecified: int = 0
    with_birth_date: int = 0
    unsubscribed_since: int = 0

    @property
    def consent_rate(self) -> float:
        return rate(self.opted_in, self.total)


def count_people(shop_id: int, since: datetime) -> People:
    """The contacts now, and how many have opted out `since`. A step."""
    counted = {name: int(count) for name, count in contacts.figures(shop_id).items()}  # sums are Decimals
    counted["unsubscribed_since"] = queries.opted_out_since(shop_id, since)
    return People(**{field.name: counted[field.name] for field in fields(People)})
