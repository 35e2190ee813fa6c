"""A statement's figures, all from the ledger: what there was, what moved, and so what there is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.billing.statements.months import Month, month_named
from app.billing.statements.queries import LEDGER, MONEY
from app.core.clock import now
from app.core.settings import settings
from app.core.uow import require_unit_of_work, unit_of_work
from app.payers.service import profiles
from app.payers.service.profiles import Billing

SOURCES = {
    "campaign": "Campaign",
    "automation": "Automation",
    "test": "Test texts",
    "service": "Service texts",
}


@dataclass(frozen=True)
class Movement:
    """Credits that came or went, and how much of the shop's debt grew (or was settled, below zero) with it.

    `at` is None for sums over the month.
    """

    kind: str
    what: str
    credits: int
    debt: int
    at: datetime | None = None


@dataclass(frozen=True)
class Charge:
    """Money that was paid, in cents. `refunded_cents` is what of it has gone back until today."""

    at: datetime
    what: str
    credits: int
    net_cents: int
    tax_cents: int
    currency: str
    refunded_cents: int = 0
    rate: Decimal | None = None
    treatment: str | None = None

    @property
    def gross_cents(self) -> int:
        return self.net_cents + self.tax_cents


@dataclass(frozen=True)
class Statement:
    """A shop's month. What it owes is a positive number of credits."""

    billing: Billing
    month: Month
    made_at: datetime
    seller_vat_number: str | None
    opening_credits: int
    opening_debt: int
    movements: list[Movement] = field(default_factory=list)
    usage: list[Movement] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)

    @property
    def closing_credits(self) -> int:
        return self.opening_credits + sum(one.credits for one in (*self.movements, *self.usage))

    @property
    def closing_debt(self) -> int:
        return self.opening_debt + sum(one.debt for one in (*self.movements, *self.usage))

    @property
    def totals(self) -> list[Charge]:
        """The charges of each currency together."""
        currencies = sorted({charge.currency for charge in self.charges})
        return [self._total(currency) for currency in currencies]

    def _total(self, currency: str) -> Charge:
        mine = [charge for charge in self.charges if charge.currency == currency]
        return Charge(
            at=self.month.ends_at,
            what="total",
            credits=sum(charge.credits for charge in mine),
            net_cents=sum(charge.net_cents for charge in mine),
            tax_cents=sum(charge.tax_cents for charge in mine),
            refunded_cents=sum(charge.refunded_cents for charge in mine),
            currency=currency,
        )


def statement_of(shop_id: int, name: str) -> Statement:
    """The shop's statement for a month such as 2026-11; of this month, until now. Raises NotFound."""
    with unit_of_work(shop_id):
        billing = profiles.shown(shop_id)
        month = month_named(billing.shop, name)
        return _reckoned(billing, month)


def _reckoned(billing: Billing, month: Month) -> Statement:
    values = {"shop_id": billing.shop.id, "starts_at": month.starts_at, "ends_at": month.ends_at}
    session = require_unit_of_work()
    rows = session.execute(LEDGER, values).all()
    opening = next(row for row in rows if row.part == "opening")
    return Statement(
        billing=billing,
        month=month,
        made_at=now(),
        seller_vat_number=settings().seller_vat_number,
        opening_credits=opening.credits,
        opening_debt=opening.debt,
        movements=[
            Movement(row.kind, row.kind, row.credits, row.debt, row.at)
            for row in rows
            if row.part == "movement"
        ],
        usage=[
            Movement(row.kind, _sender(row), row.credits, row.debt) for row in rows if row.part == "usage"
        ],
        charges=[Charge(**row._mapping) for row in session.execute(MONEY, values)],
    )


def _sender(row: Any) -> str:
    kind = SOURCES.get(row.source, "Other texts")
    if row.name:
        return f"{kind}: {row.name}"
    return f"{kind} {row.source_id}" if row.source in {"campaign", "automation"} else kind
