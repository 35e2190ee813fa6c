"""The plans that are for sale, and which price at Stripe stands for which of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from app.core.settings import settings

INCLUDED_SMS = {"starter": 100, "pro": 500}
INTERVAL = {"starter": "month", "pro": "year"}
PLAN_OF = {interval: plan for plan, interval in INTERVAL.items()}
PRICE_EUR = {"starter": 40, "pro": 240}
RANK = {"starter": 1, "pro": 2}
PERIOD = {"month": timedelta(days=30), "year": timedelta(days=365)}
CURRENCIES = ("EUR", "USD")


@dataclass(frozen=True)
class Sku:
    """A plan for an interval in a currency: what one price at Stripe is for."""

    plan: str
    interval: str
    currency: str

    @property
    def is_for_sale(self) -> bool:
        """Whether merchants may choose it. Other combinations are only recognised."""
        return INTERVAL[self.plan] == self.interval

    @property
    def price_id(self) -> str | None:
        """Stripe's price, None where this deployment has none: `SUB_PRO_EUR`, `SUB_PRO_MONTH_EUR`."""
        prices = settings().stripe_prices
        plan, interval, currency = self.plan.upper(), self.interval.upper(), self.currency
        short = prices.get(f"SUB_{plan}_{currency}") if self.is_for_sale else None
        return short or prices.get(f"SUB_{plan}_{interval}_{currency}")


def all_skus() -> Iterator[Sku]:
    """Every combination, those that are for sale first."""
    every = [Sku(plan, time, money) for plan in INTERVAL for time in PLAN_OF for money in CURRENCIES]
    yield from sorted(every, key=lambda sku: not sku.is_for_sale)


def sku_of_price(price_id: str) -> Sku | None:
    """What a price at Stripe is for, as this deployment is configured."""
    return next((sku for sku in all_skus() if sku.price_id == price_id), None)
