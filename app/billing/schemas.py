"""Billing as the clients read it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any

import marshmallow as ma

from app.billing.wording import shown_item
from app.core.http import PageQuery, Schema, fields
from app.purchases.service.packages import CURRENCIES, PRICED_AT, Package
from app.subscriptions.schemas import SubscriptionSchema

DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Major(ma.fields.Float):
    """Cents, shown in major units as a number."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> float | None:
        return None if value is None else value / 100


class Day(ma.fields.String):
    """A moment in ISO-8601, or a day: its start, or its last moment where it `is_end`."""

    default_error_messages = {"invalid": "Not a valid day or moment."}  # noqa: RUF012 (marshmallow's way)

    def __init__(self, *, is_end: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_end = is_end

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            if DAY.fullmatch(str(value)):
                return datetime.combine(date.fromisoformat(value), time.max if self.is_end else time.min, UTC)
        except ValueError as no_day:
            raise self.make_error("invalid") from no_day
        return fields.Instant().deserialize(value)


class BalanceSchema(Schema):
    """`credits` and `balance` are the wallet with what is reserved in it; `available` is what is free."""

    credits = fields.Integer()
    balance = fields.Integer()
    reserved = fields.Integer()
    available = fields.Integer()
    currency = fields.String()
    subscription = fields.Nested(SubscriptionSchema)


class PackageQuery(Schema):
    currency = fields.String(load_default=None, validate=ma.validate.OneOf(CURRENCIES))


class PackageSchema(Schema):
    """A package of credits under all the names that the clients know it by; money in major units."""

    id = fields.String()
    name = fields.String()
    display_name = fields.String(data_key="displayName")
    units = fields.Integer()
    credits = fields.Integer()
    price_cents = fields.Integer(data_key="priceCents")
    amount = fields.Float()
    price = fields.Float()
    currency = fields.String()
    price_id = fields.String(data_key="priceId", allow_none=True)
    stripe_price_id = fields.String(data_key="stripePriceId", allow_none=True)
    available = fields.Boolean()
    type = fields.String()
    description = fields.String(allow_none=True)
    features = fields.List(fields.String())
    popular = fields.Boolean()
    original_price = fields.Float(data_key="originalPrice", allow_none=True)
    created_at = fields.Instant(data_key="createdAt")
    updated_at = fields.Instant(data_key="updatedAt")

    @ma.pre_dump
    def tell_in_every_way(self, package: Package, **_: Any) -> dict[str, Any]:
        major = package.price_cents / 100
        return {
            "id": package.id,
            "name": package.name,
            "display_name": package.name,
            "units": package.credits,
            "credits": package.credits,
            "price_cents": package.price_cents,
            "amount": major,
            "price": major,
            "currency": package.currency,
            "price_id": package.price_id,
            "stripe_price_id": package.price_id,
            "available": True,
            "type": "credit_topup",
            "description": None,
            "features": [],
            "popular": package.is_popular,
            "original_price": None,
            "created_at": PRICED_AT,
            "updated_at": PRICED_AT,
        }


class PublicPackagesSchema(Schema):
    packages = fields.List(fields.Nested(PackageSchema))
    currency = fields.String()


class PackagesSchema(PublicPackagesSchema):
    """`packages` is empty while `subscriptionRequired`."""

    subscription_required = fields.Boolean(data_key="subscriptionRequired")


class SummaryAllowanceSchema(Schema):
    includedPerPeriod = fields.Integer()  # noqa: N815
    usedThisPeriod = fields.Integer()  # noqa: N815
    remainingThisPeriod = fields.Integer()  # noqa: N815
    currentPeriodStart = fields.Instant(allow_none=True)  # noqa: N815
    currentPeriodEnd = fields.Instant(allow_none=True)  # noqa: N815
    interval = fields.String(allow_none=True)


class SummaryCreditsSchema(Schema):
    balance = fields.Integer()
    currency = fields.String()


class BillingSummarySchema(Schema):
    """All numbers are numbers and no word is unknown: one client shows zeros otherwise (contract §13)."""

    subscription = fields.Nested(SubscriptionSchema)
    allowance = fields.Nested(SummaryAllowanceSchema)
    credits = fields.Nested(SummaryCreditsSchema)
    billingCurrency = fields.String()  # noqa: N815


class InvoiceQuery(PageQuery):
    status = fields.String(load_default=None)


class InvoiceSchema(Schema):
    """Money in major units."""

    id = fields.Id()
    stripeInvoiceId = fields.String(attribute="stripe_invoice_id")  # noqa: N815
    invoiceNumber = fields.String(attribute="number", allow_none=True)  # noqa: N815
    subtotal = Major(attribute="subtotal_cents")
    tax = Major(attribute="tax_cents")
    total = Major(attribute="total_cents")
    currency = fields.String()
    pdfUrl = fields.String(attribute="pdf_url", allow_none=True)  # noqa: N815
    hostedInvoiceUrl = fields.String(attribute="hosted_url", allow_none=True)  # noqa: N815
    status = fields.String()
    issuedAt = fields.Instant(attribute="issued_at")  # noqa: N815
    createdAt = fields.Instant(attribute="created_at")  # noqa: N815


class HistoryQuery(PageQuery):
    """`type`: purchase, credit, debit, refund or adjustment; the last four are movements of credits."""

    type = fields.String(load_default=None)
    status = fields.String(load_default=None)
    starts_at = Day(data_key="startDate", load_default=None)
    ends_at = Day(data_key="endDate", load_default=None, is_end=True)


class BillingHistoryQuery(PageQuery):
    status = fields.String(load_default=None)


class HistoryPackageSchema(Schema):
    name = fields.String()
    credits = fields.Integer()


class HistoryItemSchema(Schema):
    """One thing that was bought, charged or included, under the names that both clients know it by."""

    id = fields.String()
    type = fields.String()
    title = fields.String()
    subtitle = fields.String(allow_none=True)
    description = fields.String(allow_none=True)
    packageName = fields.String()  # noqa: N815
    packageType = fields.String()  # noqa: N815
    credits = fields.Integer()
    creditsAdded = fields.Integer()  # noqa: N815
    creditsGranted = fields.Integer()  # noqa: N815
    amount = fields.Float()
    amountCents = fields.Integer()  # noqa: N815
    price = fields.Float()
    currency = fields.String()
    status = fields.String()
    linkUrl = fields.String(allow_none=True)  # noqa: N815
    stripeInvoiceId = fields.String(allow_none=True)  # noqa: N815
    createdAt = fields.Instant()  # noqa: N815
    updatedAt = fields.Instant()  # noqa: N815
    package = fields.Nested(HistoryPackageSchema)

    @ma.pre_dump
    def tell_in_every_way(self, row: Any, **_: Any) -> dict[str, Any]:
        return shown_item(row)


class TransactionSchema(HistoryItemSchema):
    """The same; its list is repeated at top level."""
