"""What the shop has sold in a time, and which of its texts sold it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.settings import settings
from app.core.uow import unit_of_work
from app.messaging.states import Source
from app.orders.service import selling
from app.orders.service.selling import NO_TEXT, Sold
from app.reports import queries
from app.reports.service import automations
from app.reports.service.windows import Window, window


@dataclass(frozen=True)
class Takings:
    """One currency. In cents; every order is in one of the two halves, so they add up to the whole."""

    currency: str
    attributed_cents: int = 0
    unattributed_cents: int = 0
    attributed_orders: int = 0
    unattributed_orders: int = 0

    @property
    def total_cents(self) -> int:
        return self.attributed_cents + self.unattributed_cents

    @property
    def orders(self) -> int:
        return self.attributed_orders + self.unattributed_orders


@dataclass(frozen=True)
class Seller:
    """A campaign or automation and what it sold in one currency. `name` is None when it was deleted."""

    id: int
    name: str | None
    sold: Sold


@dataclass(frozen=True)
class RevenueReport:
    """Sales by currency, campaign and automation. Largest first."""

    window: Window
    currencies: Sequence[Takings]
    campaigns: Sequence[Seller]
    automations: Sequence[Seller]
    attribution_window_days: int


def report_revenue(shop_id: int, *, first: str | None = None, last: str | None = None) -> RevenueReport:
    """What was sold in the window: orders that were placed in it, less what has been paid back since."""
    with unit_of_work(shop_id):
        over = window(shop_id, first, last)
        rows = selling.sold(shop_id, over.starts_at, over.ends_at)
        campaign_rows = [row for row in rows if row.source == Source.CAMPAIGN]
        automation_rows = [row for row in rows if row.source == Source.AUTOMATION]
        campaigns = queries.campaigns_with_ids(shop_id, [row.source_id or 0 for row in campaign_rows])
        return RevenueReport(
            over,
            _takings(rows),
            _sellers(campaign_rows, {id_: one.name for id_, one in campaigns.items()}),
            _sellers(automation_rows, automations.names(shop_id)),
            settings().attribution_window_days,
        )


def _takings(rows: Sequence[Sold]) -> Sequence[Takings]:
    cents: defaultdict[tuple[str, bool], int] = defaultdict(int)
    orders: defaultdict[tuple[str, bool], int] = defaultdict(int)
    for row in rows:
        cents[row.currency, row.source != NO_TEXT] += row.cents
        orders[row.currency, row.source != NO_TEXT] += row.orders
    currencies = sorted({row.currency for row in rows})
    return [
        Takings(one, cents[one, True], cents[one, False], orders[one, True], orders[one, False])
        for one in currencies
    ]


def _sellers(rows: Sequence[Sold], names: Mapping[int, str]) -> Sequence[Seller]:
    return [Seller(row.source_id, names.get(row.source_id), row) for row in rows if row.source_id is not None]
