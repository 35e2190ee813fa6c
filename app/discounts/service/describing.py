"""A discount as Shopify has it, in the words of both clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

CODE_MAX = 255  # Shopify's own limit
Node = Mapping[str, Any]


class DiscountKind(StrEnum):
    PERCENTAGE = "percentage"
    AMOUNT = "amount"
    FREE_SHIPPING = "free_shipping"
    BXGY = "bxgy"


KINDS = {
    "DiscountCodeFreeShipping": DiscountKind.FREE_SHIPPING,
    "DiscountCodeBxgy": DiscountKind.BXGY,
}
LABELS = {DiscountKind.FREE_SHIPPING: "Free shipping", DiscountKind.BXGY: "Buy X get Y"}


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

    @property
    def is_usable(self) -> bool:
        return self.is_active and not self.is_expired


def discount_of(node: Node | None, *, at: datetime, zone: tzinfo) -> Discount | None:
    """The discount in a GraphQL answer, as it is at `at`; None when there is none that has a code."""
    if not isinstance(node, Mapping):
        return None
    body = _mapping(node.get("codeDiscount"))
    code = _first_code(body)
    if not code:
        return None
    kind, percent, cents, currency = _worth(body)
    starts_at, ends_at = _instant(body.get("startsAt")), _instant(body.get("endsAt"))
    is_expired = body.get("status") == "EXPIRED" or (ends_at is not None and ends_at <= at)
    has_begun = starts_at is None or starts_at <= at
    return Discount(
        id=str(node.get("id") or ""),
        code=code,
        title=str(body.get("title") or code),
        kind=kind,
        status=str(body.get("status") or ""),
        value_label=_value_label(kind, percent, cents, currency),
        validity_label=f"Valid until {ends_at.astimezone(zone):%m/%d/%Y}" if ends_at else "No end date",
        percent=percent,
        amount_cents=cents,
        currency=currency,
        starts_at=starts_at,
        ends_at=ends_at,
        usage_limit=body.get("usageLimit") if isinstance(body.get("usageLimit"), int) else None,
        is_active=body.get("status") == "ACTIVE" and has_begun and not is_expired,
        is_expired=is_expired,
    )


def _worth(body: Node) -> tuple[DiscountKind, float | None, int | None, str | None]:
    kind = KINDS.get(str(body.get("__typename")))
    if kind is not None:
        return kind, None, None, None
    value = _mapping(_mapping(body.get("customerGets")).get("value"))
    amount = _mapping(value.get("amount"))
    if amount:
        return DiscountKind.AMOUNT, None, _cents(amount.get("amount")), str(amount.get("currencyCode") or "")
    # Shopify says 0.1 for a tenth.
    fraction = value.get("percentage")
    percent = round(float(fraction) * 100, 4) if isinstance(fraction, int | float) else None
    return DiscountKind.PERCENTAGE, percent, None, None


def _value_label(kind: DiscountKind, percent: float | None, cents: int | None, currency: str | None) -> str:
    if percent is not None:
        return f"{percent:g}% off"
    if cents is not None:
        return f"{cents / 100:.2f} {currency} off"
    return LABELS.get(kind, "Discount")


def _first_code(body: Node) -> str:
    nodes = _mapping(body.get("codes")).get("nodes")
    first = nodes[0] if isinstance(nodes, list) and nodes else None
    return str(_mapping(first).get("code") or "")[:CODE_MAX]


def _cents(raw: object) -> int | None:
    try:
        return int((Decimal(str(raw)) * 100).to_integral_value())
    except (InvalidOperation, OverflowError, ValueError):
        return None


def _instant(raw: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        return None
    return at.astimezone(UTC) if at and at.tzinfo else None


def _mapping(found: object) -> Node:
    return found if isinstance(found, Mapping) else {}
