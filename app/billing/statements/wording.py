"""What a statement's figures are called, and how they look, in the CSV and in the PDF alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.billing.statements.reckoning import Charge, Movement, Statement
from app.core.csv import Cell

KINDS = {
    "purchase": "Credits bought",
    "grant": "Credits given",
    "allowance": "SMS included in the plan",
    "lapse": "Included SMS lapsed",
    "capture": "sent",
    "refund": "not delivered, given back",
    "reversal": "Taken back: the payment was refunded or disputed",
    "reinstatement": "Given again: the payment stands after all",
    "settlement": "Debt paid with credits",
    "adjustment": "Corrected",
}
CHARGES = {
    "topup": "Top-up",
    "package": "Package of credits",
    "recharge": "Automatic recharge",
    "subscription": "Subscription",
    "total": "Total",
}
TREATMENTS = {
    "domestic_vat": "Greek VAT",
    "eu_b2c": "VAT of the buyer's country",
    "eu_reverse_charge": "Reverse charge",
    "non_eu": "Outside the EU",
    "unknown": "",
}


@dataclass(frozen=True)
class Line:
    """One row of a statement; amounts of money as texts in major units."""

    section: str
    at: str
    what: str
    credits: int | None = None
    debt: int | None = None
    net: str = ""
    vat_rate: str = ""
    vat: str = ""
    gross: str = ""
    refunded: str = ""
    currency: str = ""
    treatment: str = ""

    def cells(self) -> list[Cell]:
        return [getattr(self, name) for name in self.__dataclass_fields__]


def lines(statement: Statement) -> Iterator[Line]:
    """The statement, row after row."""
    opened, closed = _day(statement, statement.month.starts_at), _closing_day(statement)
    yield Line("opening", opened, "Opening", statement.opening_credits, statement.opening_debt)
    for movement in statement.movements:
        yield _movement(statement, movement)
    for used in statement.usage:
        yield Line("usage", "", f"{used.what}, {KINDS.get(used.kind, used.kind)}", used.credits, used.debt)
    yield Line("closing", closed, "Closing", statement.closing_credits, statement.closing_debt)
    for charge in statement.charges:
        yield _charge(statement, charge)
    for total in statement.totals:
        yield _charge(statement, total, section="total")


def money(cents: int) -> str:
    """Major units with two places."""
    return f"{Decimal(cents) / 100:.2f}"


def _movement(statement: Statement, movement: Movement) -> Line:
    at = _day(statement, movement.at) if movement.at else ""
    return Line("movement", at, KINDS.get(movement.kind, movement.kind), movement.credits, movement.debt)


def _charge(statement: Statement, charge: Charge, section: str = "money") -> Line:
    return Line(
        section=section,
        at=_day(statement, charge.at) if section == "money" else "",
        what=CHARGES.get(charge.what, charge.what),
        net=money(charge.net_cents),
        vat_rate="" if charge.rate is None else f"{charge.rate * 100:.1f}%",
        vat=money(charge.tax_cents),
        gross=money(charge.gross_cents),
        refunded=money(charge.refunded_cents),
        currency=charge.currency,
        treatment=TREATMENTS.get(charge.treatment or "", charge.treatment or ""),
    )


def _day(statement: Statement, moment: datetime) -> str:
    return f"{moment.astimezone(statement.month.zone):%Y-%m-%d %H:%M}"


def _closing_day(statement: Statement) -> str:
    return _day(statement, min(statement.made_at, statement.month.ends_at))
