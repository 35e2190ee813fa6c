"""The discounts of a shop, as Shopify has them.

Shops without a Shopify connection have none, and so far no shop has one: what answers here is the door
through which they will come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.discounts.errors import DiscountNotFound

NOT_IN_SHOP = "There is no such discount in this shop."


class DiscountKind(StrEnum):
    PERCENTAGE = "percentage"
    AMOUNT = "amount"
    FREE_SHIPPING = "free_shipping"
    BXGY = "bxgy"


@dataclass(frozen=True)
class Discount:
    """One code. `percent` is 10 for a tenth; `amount_cents` goes with `currency`. Times are UTC."""

    id: str
    code: str
    title: str
    kind: DiscountKind
    status: str
    value_label: str
    validity_label: str
    percent: float | None = None
    amount_cents: int | None = None
    currency: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    usage_limit: int | None = None
    is_active: bool = True
    is_expired: bool = False


@dataclass(frozen=True)
class Validation:
    """Whether a code can stand in a text. `reason` says why not."""

    discount: Discount | None
    reason: str | None = None

    @property
    def is_valid(self) -> bool:
        return self.discount is not None and self.reason is None


def usable_discounts(_shop_id: int) -> Sequence[Discount]:
    """The shop's discounts that are active and not expired."""
    return ()


def find_discount(_shop_id: int, _discount_id: str) -> Discount:
    """The discount with this Shopify id. Raises DiscountNotFound."""
    raise DiscountNotFound


def validate_discount(shop_id: int, discount_id: str) -> Validation:
    """Whether the discount with this Shopify id can be used now. An unknown one cannot."""
    try:
        return _validated(find_discount(shop_id, discount_id))
    except DiscountNotFound:
        return Validation(None, NOT_IN_SHOP)


def validate_code(shop_id: int, code: str) -> Validation:
    """Whether this code can be used now; codes are compared as Shopify does, without regard to case."""
    wanted = code.strip().casefold()
    found = next((one for one in usable_discounts(shop_id) if one.code.casefold() == wanted), None)
    return _validated(found) if found else Validation(None, NOT_IN_SHOP)


def _validated(discount: Discount) -> Validation:
    if discount.is_expired:
        return Validation(discount, "This discount has expired.")
    if not discount.is_active:
        return Validation(discount, "This discount is not active.")
    return Validation(discount)
