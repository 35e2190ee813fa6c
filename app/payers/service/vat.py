"""VAT on what a Greek seller sells, in integer cents. Pure, but for the rates, which settings may change.

Sources: VAT directive 2006/112/EC, articles 44, 58 and 196; the rates are those of contract §13.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType

from app.core.settings import settings
from app.payers.models import Treatment, VatStatus

SELLER = "GR"
# fmt: off
PERCENT = {
    "AT": 20, "BE": 21, "BG": 20, "CY": 19, "CZ": 21, "DE": 19, "DK": 25, "EE": 22, "ES": 21,
    "FI": 24, "FR": 20, "GR": 24, "HR": 25, "HU": 27, "IE": 23, "IT": 22, "LT": 21, "LU": 17,
    "LV": 21, "MT": 18, "NL": 21, "PL": 23, "PT": 23, "RO": 19, "SE": 25, "SI": 22, "SK": 20,
}
# fmt: on
STANDARD_RATES: Mapping[str, Decimal] = MappingProxyType(
    {country: Decimal(percent) / 100 for country, percent in PERCENT.items()}
)
EU = frozenset(STANDARD_RATES)
ZERO = Decimal(0)


@dataclass(frozen=True)
class VatFacts:
    """What is known of who pays, at the moment of a sale. Countries as two letters, Greece as GR or EL."""

    billing_country: str | None = None
    ip_country: str | None = None
    vat_number: str | None = None
    vat_country: str | None = None
    vat_status: str | None = None
    vat_source: str | None = None
    vat_checked_at: datetime | None = None
    vat_consultation: str | None = None

    @property
    def country(self) -> str | None:
        """Where the sale is taxed: the billing country, else where the request came from."""
        return country_code(self.billing_country) or country_code(self.ip_country)


@dataclass(frozen=True)
class Rates:
    """National rates as shares (0.24), and the one for an EU country that has none here."""

    national: Mapping[str, Decimal] = field(default_factory=lambda: STANDARD_RATES)
    default: Decimal = Decimal("0.20")

    def of(self, country: str) -> Decimal:
        return self.national.get(country, self.default)


@dataclass(frozen=True)
class Vat:
    """A price with its VAT. `rate` is None while the country is not known; then no tax is in the sums."""

    rate: Decimal | None
    net_cents: int
    tax_cents: int
    gross_cents: int
    treatment: Treatment
    jurisdiction: str | None


def vat_on(net_cents: int, payer: VatFacts, rates: Rates | None = None) -> Vat:
    """The VAT on a net price for this payer, at `rates` (else those in force here), rounded half up."""
    country = payer.country
    treatment = treatment_of(payer)
    rate = _rate(treatment, country, rates or rates_in_force())
    tax = round_half_up(net_cents * (rate or ZERO))
    return Vat(rate, net_cents, tax, net_cents + tax, treatment, country)


def treatment_of(payer: VatFacts) -> Treatment:
    """How a sale to this payer is taxed."""
    country = payer.country
    if country is None:
        return Treatment.UNKNOWN
    if country not in EU:
        return Treatment.NON_EU
    if country == SELLER:
        return Treatment.DOMESTIC_VAT
    return Treatment.EU_REVERSE_CHARGE if _is_business_elsewhere(payer) else Treatment.EU_B2C


def rates_in_force() -> Rates:
    """The national rates, with what VAT_RATE_<CC> and VAT_RATE_EU_DEFAULT change."""
    changed = {country_code(country): rate for country, rate in settings().vat_rates.items()}
    national = {**STANDARD_RATES, **{country: rate for country, rate in changed.items() if country in EU}}
    return Rates(national, settings().vat_rate_eu_default)  # type: ignore[arg-type]


def ip_country(headers: Mapping[str, str]) -> str | None:
    """The country that our proxy says a request came from; None without a proxy, whom anybody could imitate.

    Cloudflare writes `CF-IPCountry`, with XX for unknown and T1 for Tor.
    """
    if not settings().trusted_proxy_hops:
        return None
    found = (country_code(headers.get(name)) for name in ("CF-IPCountry", "X-Country"))
    return next((country for country in found if country and country != "XX"), None)


def country_code(raw: str | None) -> str | None:
    """`raw` as two upper-case letters, Greece always as GR; None for anything else."""
    code = (raw or "").strip().upper()
    if len(code) != 2 or not (code.isascii() and code.isalpha()):
        return None
    return "GR" if code == "EL" else code


def round_half_up(cents: Decimal) -> int:
    """Whole cents."""
    return int(cents.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _is_business_elsewhere(payer: VatFacts) -> bool:
    """Only what a register confirmed counts: a register that is silent is no reason to take no VAT.

    A Greek number shows a Greek business, wherever its bills go.
    """
    return payer.vat_status == VatStatus.VERIFIED and country_code(payer.vat_country) != SELLER


def _rate(treatment: Treatment, country: str | None, rates: Rates) -> Decimal | None:
    if country is None:
        return None
    return rates.of(country) if treatment in {Treatment.DOMESTIC_VAT, Treatment.EU_B2C} else ZERO
