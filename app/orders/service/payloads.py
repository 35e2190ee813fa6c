"""Reading what Shopify posts about orders, fulfilments and checkouts.

Source of the field names: Shopify's webhook payloads (REST shapes). Whatever is missing or odd becomes empty:
a payload that names no object is refused, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.core.errors import ValidationFailed

ITEMS_MAX, TITLE_MAX, TEXT_MAX, CODES_MAX = 20, 80, 500, 20
CURRENCY = re.compile(r"[A-Z]{3}")
NO_CURRENCY = "XXX"  # ISO 4217's word for none
CLICK_PARAMETER = "ast"  # names the link token in the buyer's first address, or among the cart's notes
EARLIEST, LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
Payload = Mapping[str, Any]


@dataclass(frozen=True)
class OrderSeen:
    """An order as it was at `updated_at`. Money in cents."""

    shopify_id: int
    name: str
    placed_at: datetime
    updated_at: datetime
    currency: str
    total_cents: int
    refunds: Mapping[str, int] = field(default_factory=dict)
    cancelled_at: datetime | None = None
    financial_status: str | None = None
    fulfillment_status: str | None = None
    checkout_token: str | None = None
    cart_token: str | None = None
    discount_codes: Sequence[str] = ()
    landing_site: str | None = None
    click_tokens: Sequence[str] = ()
    is_test: bool = False
    items: Sequence[Mapping[str, Any]] = ()
    city: str | None = None
    country: str | None = None


@dataclass(frozen=True)
class FulfilmentSeen:
    """A parcel as it was at `updated_at`."""

    shopify_id: int
    order_shopify_id: int
    fulfilled_at: datetime
    updated_at: datetime
    status: str | None = None
    shipment_status: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    tracking_company: str | None = None
    estimated_delivery_at: datetime | None = None

    @property
    def is_delivered(self) -> bool:
        return self.shipment_status == "delivered"


@dataclass(frozen=True)
class CheckoutSeen:
    """A checkout as it was at `updated_at`."""

    token: str
    started_at: datetime
    updated_at: datetime
    cart_token: str | None = None
    url: str | None = None
    items: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    subtotal_cents: int | None = None
    currency: str | None = None
    discount_codes: Sequence[str] = ()
    completed_at: datetime | None = None


def read_order(payload: Payload) -> OrderSeen:
    """The order in a post. Raises ValidationFailed when it names none."""
    placed_at = moment(payload.get("processed_at")) or moment(payload.get("created_at"))
    shopify_id = number(payload.get("id"))
    if shopify_id is None or placed_at is None:
        raise ValidationFailed("id", "names no order")
    address = address_in(payload)
    return OrderSeen(
        shopify_id=shopify_id,
        name=words(payload.get("name")) or f"#{number(payload.get('order_number')) or shopify_id}",
        placed_at=placed_at,
        updated_at=moment(payload.get("updated_at")) or placed_at,
        currency=_currency(payload.get("currency")) or NO_CURRENCY,
        total_cents=max(0, cents(payload.get("total_price")) or 0),
        refunds=_refunds(payload.get("refunds")),
        cancelled_at=moment(payload.get("cancelled_at")),
        financial_status=words(payload.get("financial_status")),
        fulfillment_status=words(payload.get("fulfillment_status")),
        checkout_token=words(payload.get("checkout_token")),
        cart_token=words(payload.get("cart_token")),
        discount_codes=_codes(payload),
        landing_site=words(payload.get("landing_site"), 2000),
        click_tokens=_click_tokens(payload),
        is_test=payload.get("test") is True,
        items=_items(payload),
        city=words(address.get("city")),
        country=words(address.get("country_code")) or words(address.get("country")),
    )


def address_in(payload: Payload) -> Payload:
    """Where the goods go, else who pays; empty when the post has neither."""
    found = payload.get("shipping_address") or payload.get("billing_address")
    return found if isinstance(found, Mapping) else {}


def read_refund(payload: Payload) -> tuple[int, dict[str, int]] | None:
    """The order that a refund is of and what was paid back, by refund id; None when it names no order."""
    order_id = number(payload.get("order_id"))
    return None if order_id is None else (order_id, _refunds([payload]))


def read_fulfilments(payload: Payload) -> list[FulfilmentSeen]:
    """The parcels in a post: of an order (`fulfillments`), or one parcel by itself."""
    parcels = payload.get("fulfillments")
    if parcels is None:
        parcels = [payload] if payload.get("order_id") else []
    order_id = number(payload.get("id"))
    listed = parcels if isinstance(parcels, list) else []
    found = (_fulfilment(parcel, order_id) for parcel in listed if isinstance(parcel, Mapping))
    return [parcel for parcel in found if parcel is not None]


def read_checkout(payload: Payload) -> CheckoutSeen:
    """The checkout in a post. Raises ValidationFailed when it names none."""
    token = words(payload.get("token")) or words(payload.get("checkout_token"))
    started_at = moment(payload.get("created_at")) or moment(payload.get("updated_at"))
    if token is None or started_at is None:
        raise ValidationFailed("token", "names no checkout")
    return CheckoutSeen(
        token=token,
        started_at=started_at,
        updated_at=moment(payload.get("updated_at")) or started_at,
        cart_token=words(payload.get("cart_token")),
        url=words(payload.get("abandoned_checkout_url"), 2000),
        items=_items(payload),
        subtotal_cents=_first_known(cents(payload.get("subtotal_price")), cents(payload.get("total_price"))),
        currency=_currency(payload.get("currency")),
        discount_codes=_codes(payload),
        completed_at=moment(payload.get("completed_at")),
    )


def _fulfilment(parcel: Payload, order_id: int | None) -> FulfilmentSeen | None:
    shopify_id, order = number(parcel.get("id")), number(parcel.get("order_id")) or order_id
    fulfilled_at = moment(parcel.get("created_at")) or moment(parcel.get("updated_at"))
    if shopify_id is None or order is None or fulfilled_at is None:
        return None
    return FulfilmentSeen(
        shopify_id=shopify_id,
        order_shopify_id=order,
        fulfilled_at=fulfilled_at,
        updated_at=moment(parcel.get("updated_at")) or fulfilled_at,
        status=words(parcel.get("status")),
        shipment_status=words(parcel.get("shipment_status")),
        tracking_number=words(parcel.get("tracking_number")) or _first(parcel.get("tracking_numbers")),
        tracking_url=_web_address(
            words(parcel.get("tracking_url"), 2000) or _first(parcel.get("tracking_urls"))
        ),
        tracking_company=words(parcel.get("tracking_company")),
        estimated_delivery_at=moment(parcel.get("estimated_delivery_at")),
    )


def cents(raw: object) -> int | None:
    """`"49.90"` as 4990; None for what is no amount."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return None
    if isinstance(raw, int) and abs(raw) >= 10**12:
        return None
    try:
        amount = Decimal(str(raw)[:50])
    except InvalidOperation:
        return None
    # adjusted() is the exponent: nothing is computed with a number that is too large or too small for it.
    is_amount = amount.is_finite() and -20 < amount.adjusted() < 12
    return int((amount * 100).to_integral_value()) if is_amount else (0 if amount.is_zero() else None)


def moment(raw: object) -> datetime | None:
    """An ISO 8601 instant with a zone; None for anything else."""
    if not isinstance(raw, str):
        return None
    try:
        at = datetime.fromisoformat(raw)
        at = at.astimezone(UTC) if at.tzinfo else LATEST
    except (ValueError, OverflowError):
        return None
    return at if EARLIEST < at < LATEST else None


def number(raw: object) -> int | None:
    """A Shopify id: beyond 2^53, so never through a float."""
    if isinstance(raw, bool) or not isinstance(raw, int | str):
        return None
    if isinstance(raw, int):
        return raw if 0 < raw < 2**63 else None
    digits = raw.rpartition("/")[2]
    is_number = digits.isascii() and digits.isdigit() and len(digits) < 20
    return int(digits) if is_number and 0 < int(digits) < 2**63 else None


def words(raw: object, longest: int = TEXT_MAX) -> str | None:
    """Text without controls and surrounding blanks; None when nothing is left."""
    if not isinstance(raw, str):
        return None
    return "".join(letter for letter in raw if letter.isprintable()).strip()[:longest] or None


def _items(payload: Payload) -> list[dict[str, Any]]:
    rows = payload.get("line_items")
    items = []
    for row in rows[:ITEMS_MAX] if isinstance(rows, list) else ():
        title = words(row.get("title"), TITLE_MAX) if isinstance(row, Mapping) else None
        if title:
            items.append({"title": title, "quantity": number(row.get("quantity")) or 1})
    return items


def _codes(payload: Payload) -> list[str]:
    rows = payload.get("discount_codes")
    given = [row.get("code") for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    return [code for raw in given[:CODES_MAX] if (code := words(raw, 100))]


def _click_tokens(payload: Payload) -> list[str]:
    """What may be tokens of our links: in the buyer's first address in the shop, or noted on the cart."""
    try:
        query = parse_qs(urlsplit(words(payload.get("landing_site"), 2000) or "").query, max_num_fields=100)
    except ValueError:
        query = {}
    found: list[object] = [*query.get(CLICK_PARAMETER, ())]
    notes = payload.get("note_attributes")
    for note in notes if isinstance(notes, list) else ():
        if isinstance(note, Mapping) and note.get("name") == CLICK_PARAMETER:
            found.append(note.get("value"))
    return [token for raw in found[:CODES_MAX] if (token := words(raw, 100))]


def _currency(raw: object) -> str | None:
    code = words(raw)
    return code if code and CURRENCY.fullmatch(code) else None


def _first_known(*amounts: int | None) -> int | None:
    return next((amount for amount in amounts if amount is not None), None)


def _refunds(rows: object) -> dict[str, int]:
    refunds = {}
    for row in rows if isinstance(rows, list) else ():
        refund_id = number(row.get("id")) if isinstance(row, Mapping) else None
        if refund_id is not None:
            listed = row.get("transactions")
            paid_back = listed if isinstance(listed, list) else ()
            refunds[str(refund_id)] = sum(_paid_back(paid) for paid in paid_back if isinstance(paid, Mapping))
    return refunds


def _paid_back(paid: Payload) -> int:
    if paid.get("kind") != "refund" or paid.get("status") != "success":
        return 0
    return max(0, cents(paid.get("amount")) or 0)


def _first(raw: object) -> str | None:
    return words(raw[0], 2000) if isinstance(raw, list) and raw else None


def _web_address(raw: object) -> str | None:
    url = words(raw, 2000)
    return url if url and url.lower().startswith(("http://", "https://")) else None
