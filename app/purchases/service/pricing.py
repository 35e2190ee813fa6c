"""What credits cost: integer cents from a decimal price, and the VAT on top."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.core.settings import settings
from app.core.uow import unit_of_work
from app.payers.service import vat
from app.payers.service.evidence import facts_of
from app.payers.service.vat import Treatment, Vat, VatFacts
from app.purchases.models import Purchase
from app.shops import service as shops


def price_cents(credits: int, currency: str) -> int:
    """What so many credits cost, without VAT, rounded half up to cents."""
    chosen = settings()
    price = chosen.credit_price_eur
    if currency == "USD" and chosen.credit_price_usd is not None:
        price = chosen.credit_price_usd
    return vat.round_half_up(Decimal(credits) * price * 100)


def calculate(shop_id: int, credits: int, currency: str | None, ip_country: str | None) -> tuple[str, Vat]:
    """The currency (the shop's own when none is named) and what a top-up costs in it."""
    with unit_of_work(shop_id):
        chosen = currency or shops.find_shop(shop_id).currency
        payer = facts_of(shop_id, ip_country=ip_country)
    return chosen, vat.vat_on(price_cents(credits, chosen), payer)


def price_columns(shop_id: int, net_cents: int, ip_country: str | None = None) -> dict[str, Any]:
    """A net price with the VAT of who pays for the shop, as a purchase's columns. A step."""
    payer = facts_of(shop_id, ip_country=ip_country)
    price = vat.vat_on(net_cents, payer)
    checked = payer.vat_checked_at
    return {
        "net_cents": price.net_cents,
        "tax_cents": price.tax_cents,
        "gross_cents": price.gross_cents,
        "vat_treatment": str(price.treatment),
        "vat_rate": price.rate,
        "vat_jurisdiction": price.jurisdiction,
        "payer": asdict(payer) | {"vat_checked_at": checked and checked.isoformat()},
    }


def vat_of(purchase: Purchase) -> Vat:
    """How a purchase was taxed."""
    return Vat(
        purchase.vat_rate,
        purchase.net_cents,
        purchase.tax_cents,
        purchase.gross_cents,
        Treatment(purchase.vat_treatment),
        purchase.vat_jurisdiction,
    )


def payer_at(purchase: Purchase) -> VatFacts:
    """What was known of who pays when the purchase began."""
    checked = purchase.payer.get("vat_checked_at")
    return VatFacts(
        **purchase.payer | {"vat_checked_at": datetime.fromisoformat(checked) if checked else None}
    )
