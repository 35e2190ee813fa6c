"""The packages of credits that are for sale. Prices are cents, without VAT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.core.uow import unit_of_work
from app.shops import service as shops

CURRENCIES = ("EUR", "USD")
PRICES_CENTS = {1_000: 2_999, 5_000: 12_999, 10_000: 22_999, 25_000: 49_999}
# Currencies that cost another number than the euro; the clients ask for both.
PRICES_CENTS_BY_CURRENCY: dict[str, dict[int, int]] = {}
PRICED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Package:
    """So many credits for so much money. Its id is stable: purchases name it."""

    credits: int
    price_cents: int
    currency: str

    @property
    def id(self) -> str:
        return f"package_{self.credits}"

    @property
    def name(self) -> str:
        return f"{self.credits:,} SMS Credits"


@dataclass(frozen=True)
class Offer:
    """What a shop is offered: nothing while it has no active subscription."""

    packages: Sequence[Package]
    currency: str
    subscription_required: bool = False


def catalogue(currency: str) -> list[Package]:
    """All packages with their prices in `currency`, the smallest first."""
    prices = PRICES_CENTS | PRICES_CENTS_BY_CURRENCY.get(currency, {})
    return [Package(credits, cents, currency) for credits, cents in prices.items()]


def offer_to(shop_id: int, currency: str | None) -> Offer:
    """The packages that the shop can buy, in its own currency when none is named."""
    with unit_of_work(shop_id):
        chosen = currency or shops.find_shop(shop_id).currency
        subscription = shops.subscription_of(shop_id)
    if subscription is None or not subscription.is_active:
        return Offer([], chosen, subscription_required=True)
    return Offer(catalogue(chosen), chosen)
