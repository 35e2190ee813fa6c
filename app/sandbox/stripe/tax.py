"""Stripe Tax, for an account in Greece that is registered in the EU: what is added to each line."""

from collections.abc import Sequence

from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document

HOME = "GR"
PERCENT = {
    "AT": 20, "BE": 21, "BG": 20, "HR": 25, "CY": 19, "CZ": 21, "DK": 25, "EE": 22, "FI": 24,
    "FR": 20, "DE": 19, "GR": 24, "HU": 27, "IE": 23, "IT": 22, "LV": 21, "LT": 21, "LU": 17,
    "MT": 18, "NL": 21, "PL": 23, "PT": 23, "RO": 19, "SK": 20, "SI": 22, "ES": 21, "SE": 25,
}  # fmt: skip


def rate(world: Stripe, country: str | None, customer: str | None) -> tuple[int, str]:
    """Percent and reason: `standard_rated`, `reverse_charge` or `not_collecting`."""
    if country is None or country not in PERCENT:
        return 0, "not_collecting"
    if country != HOME and customer is not None and _has_verified_number(world, customer):
        return 0, "reverse_charge"
    return PERCENT[country], "standard_rated"


def taxed(lines: Sequence[Document], percent: int) -> list[Document]:
    """The lines with `amount_tax` and `amount_total`; half a cent goes up."""
    return [_taxed(line, percent) for line in lines]


def _taxed(line: Document, percent: int) -> Document:
    amount = line["amount_subtotal"]
    if line["price"]["tax_behavior"] == "inclusive":
        tax = (2 * amount * percent + 100 + percent) // (2 * (100 + percent))
        return line | {"amount_tax": tax, "amount_total": amount}
    tax = (2 * amount * percent + 100) // 200
    return line | {"amount_tax": tax, "amount_total": amount + tax}


def _has_verified_number(world: Stripe, customer: str) -> bool:
    numbers = world.store.find("tax_id", customer=customer, type="eu_vat")
    return any(one["verification"]["status"] == "verified" for one in numbers)
