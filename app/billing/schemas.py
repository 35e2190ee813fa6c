"""Billing as the clients read it."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.core.http import Schema, fields
from app.purchases.service.packages import CURRENCIES, PRICED_AT, Package
from app.subscriptions.schemas import SubscriptionSchema


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
