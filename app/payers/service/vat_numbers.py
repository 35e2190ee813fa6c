"""VAT numbers as people write them, as the EU's register wants them, and as Stripe does. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.payers.models import Profile
from app.payers.service.vat import EU, country_code

DECORATION = re.compile(r"[\s.\-]+")


@dataclass(frozen=True)
class VatNumber:
    """A number without its prefix, and whose it is (Greece as GR, None when nobody said)."""

    country: str | None
    digits: str

    @property
    def is_european(self) -> bool:
        """Whether the EU's register covers it, and Stripe takes it as `eu_vat`."""
        return self.country in EU

    @property
    def prefixed(self) -> str:
        """As Stripe and bills write it: EL123456789."""
        return f"{'EL' if self.country == 'GR' else self.country or ''}{self.digits}"


def written(raw: str) -> str:
    """What somebody typed, in capitals and without blanks, dots and dashes."""
    return DECORATION.sub("", raw).upper()


def read(number: str, country: str | None) -> VatNumber:
    """A written number: of the country in its prefix when that is in the EU, else of `country`."""
    prefix = country_code(number[:2])
    if prefix in EU and re.search("[0-9]", number[2:]):
        return VatNumber(prefix, number[2:])
    return VatNumber(country_code(country), number)


def number_of(profile: Profile) -> VatNumber | None:
    """The profile's VAT number, if it has one."""
    return read(profile.vat_number, profile.country_of_vat) if profile.vat_number else None
