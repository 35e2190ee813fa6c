"""The packages of credits that are for sale. Prices are cents, without VAT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.core.settings import settings
from app.core.uow import unit_of_work
from app.purchases.errors import PackageNotFound
from app.shops import service as shops
from app.subscriptions.service import standing as subscriptions

CURRENCIES = ("EUR", "USD")
PRICES_CENTS = {1_000: 2_999, 5_000: 12_999, 10_000: 22_999, 25_000: 49_999}
# Currencies that cost another number than the euro; the clients ask for both.
PRICES_CENTS_BY_CURRENCY: dict[str, dict[int, int]] = {}
POPULAR = 5_000
PRICED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Package:
    """So many credits for so much money. Its id is stable: purchases name it."""

    credits: int
    price_cents: int
    currency: str
    price_id: str | None = None

    @property
    def id(self) -> str:
        return f"package_{self.credits}"

    @property
    def name(self) -> str:
        return f"{self.credits:,} SMS Credits"

    @property
    def is_popular(self) -> bool:
        return self.credits == POPULAR


@dataclass(frozen=True)
class Offer:
    """What a shop is offered: nothing while it has no active subscription."""

    packages: Sequence[Package]
    currency: str
    subscription_required: bool = False


def catalogue(currency: str) -> list[Package]:
    """All packages with their prices in `currency`, the smallest first."""
    prices = PRICES_CENTS | PRICES_CENTS_BY_CURRENCY.get(currency, {})
    known = settings().stripe_prices
    return [Package(many, cents, currency, known.get(f"{many}_{currency}")) for many, cents in prices.items()]


def find_package(package_id: str, currency: str) -> Package:
    """Raises PackageNotFound."""
    for package in catalogue(currency):
        if package.id == package_id:
            return package
    raise PackageNotFound


def offer_to(shop_id: int, currency: str | None) -> Offer:
    """The packages that the shop can buy, in its own currency when none is named."""
    with unit_of_work(shop_id):
        chosen = currency or shops.find_shop(shop_id).currency
        may_buy = subscriptions.is_subscribed(shop_id)
    if not may_buy:
        return Offer([], chosen, subscription_required=True)
    return Offer(catalogue(chosen), chosen)
