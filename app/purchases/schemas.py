"""Purchases as the clients say and read them. Money is cents inside, major units outside."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.core.http import Schema, fields
from app.payers.service.vat import Vat
from app.purchases.models import BillingAlert, Purchase, RechargeSettings
from app.purchases.service.buying import Checkout
from app.purchases.service.checkout import name_of
from app.purchases.service.packages import CURRENCIES

MOST_CREDITS = 1_000_000
CREDITS = ma.validate.Range(min=1, max=MOST_CREDITS)


def currency_field(*, allow_none: bool = True) -> fields.String:
    """The shop's own where it is missing. No query can say null."""
    known = ma.validate.OneOf(CURRENCIES)
    return fields.String(load_default=None, allow_none=allow_none, validate=known)


class PriceQuery(Schema):
    credits = fields.Integer(required=True, strict=False, validate=CREDITS)
    currency = currency_field(allow_none=False)


class ReturnsSchema(Schema):
    """Where Stripe's page leads back to; the client's own pages when they are not given."""

    success_url = fields.String(data_key="successUrl", load_default=None, allow_none=True)
    cancel_url = fields.String(data_key="cancelUrl", load_default=None, allow_none=True)
    currency = currency_field()


class TopupRequest(ReturnsSchema):
    credits = fields.Integer(required=True, strict=True, validate=CREDITS)


class PackageRequest(ReturnsSchema):
    package_id = fields.String(data_key="packageId", required=True, validate=ma.validate.Length(1, 64))


class PriceSchema(Schema):
    """A price with its VAT. `taxRate` is null while the country is not known: Stripe's page then tells.

    The names with `Eur` are what the embedded client shows, in whichever currency.
    """

    credits = fields.Integer()
    currency = fields.String()
    base_price = fields.Float(data_key="basePrice")
    tax_rate = fields.Float(data_key="taxRate", allow_none=True)
    tax_amount = fields.Float(data_key="taxAmount")
    total_price = fields.Float(data_key="totalPrice")
    price = fields.Float()
    tax_treatment = fields.String(data_key="taxTreatment")
    tax_jurisdiction = fields.String(data_key="taxJurisdiction", allow_none=True)
    price_eur = fields.Float(data_key="priceEur")
    vat_amount = fields.Float(data_key="vatAmount")
    price_eur_with_vat = fields.Float(data_key="priceEurWithVat")


def price_shown(credits: int, currency: str, vat: Vat) -> dict[str, Any]:
    """A price under all the names that the clients know."""
    net, tax, gross = (cents / 100 for cents in (vat.net_cents, vat.tax_cents, vat.gross_cents))
    return {
        "credits": credits,
        "currency": currency,
        "base_price": net,
        "tax_rate": None if vat.rate is None else float(vat.rate),
        "tax_amount": tax,
        "total_price": gross,
        "price": gross,
        "tax_treatment": str(vat.treatment),
        "tax_jurisdiction": vat.jurisdiction,
        "price_eur": net,
        "vat_amount": tax,
        "price_eur_with_vat": gross,
    }


class CheckoutSchema(Schema):
    """Stripe's page, under both names that the clients know; null once it is closed."""

    purchase_id = fields.Id(data_key="purchaseId")
    session_id = fields.String(data_key="sessionId", allow_none=True)
    session_url = fields.String(data_key="sessionUrl", allow_none=True)
    checkout_url = fields.String(data_key="checkoutUrl", allow_none=True)
    status = fields.String()
    idempotent = fields.Boolean()


def checkout_shown(begun: Checkout) -> dict[str, Any]:
    return {
        "purchase_id": begun.purchase.id,
        "session_id": begun.purchase.stripe_session_id,
        "session_url": begun.url,
        "checkout_url": begun.url,
        "status": str(begun.purchase.status),
        "idempotent": begun.is_repeat,
    }


class TopupSchema(CheckoutSchema):
    credits = fields.Integer()
    price_eur = fields.Float(data_key="priceEur")
    price_breakdown = fields.Nested(PriceSchema, data_key="priceBreakdown")


class BoughtPackageSchema(Schema):
    id = fields.String()
    name = fields.String()
    credits = fields.Integer()
    price = fields.Float()
    currency = fields.String()


def package_shown(purchase: Purchase) -> dict[str, Any]:
    return {
        "id": purchase.package,
        "name": name_of(purchase),
        "credits": purchase.credits,
        "price": purchase.net_cents / 100,
        "currency": purchase.currency,
    }


class PackageCheckoutSchema(CheckoutSchema):
    package = fields.Nested(BoughtPackageSchema)


class RechargeRequest(Schema):
    """What is not given stays as it is; a cap or threshold of null is none."""

    is_enabled = fields.Boolean(data_key="enabled")
    threshold = fields.Integer(strict=True, validate=ma.validate.Range(min=0, max=MOST_CREDITS))
    credits = fields.Integer(strict=True, validate=CREDITS)
    monthly_cap_cents = fields.Integer(
        data_key="monthlyCapCents",
        strict=True,
        allow_none=True,
        validate=ma.validate.Range(min=0, max=10_000_000_00),
    )
    low_balance_threshold = fields.Integer(
        data_key="lowBalanceThreshold",
        strict=True,
        allow_none=True,
        validate=ma.validate.Range(min=0, max=MOST_CREDITS),
    )


class RechargeSchema(Schema):
    """`hasCard`: a payment by hand has left one with Stripe. `suspendedAt`: that card was refused."""

    is_enabled = fields.Boolean(data_key="enabled")
    threshold = fields.Integer()
    credits = fields.Integer()
    monthly_cap_cents = fields.Integer(data_key="monthlyCapCents", allow_none=True)
    low_balance_threshold = fields.Integer(data_key="lowBalanceThreshold", allow_none=True)
    has_card = fields.Boolean(data_key="hasCard")
    suspended_at = fields.Instant(data_key="suspendedAt", allow_none=True)

    @ma.pre_dump
    def say_whether_there_is_a_card(self, chosen: RechargeSettings, **_: Any) -> dict[str, Any]:
        names = (
            "is_enabled",
            "threshold",
            "credits",
            "monthly_cap_cents",
            "low_balance_threshold",
            "suspended_at",
        )
        return {name: getattr(chosen, name) for name in names} | {
            "has_card": chosen.stripe_payment_method_id is not None
        }


class AlertSchema(Schema):
    id = fields.Id()
    kind = fields.String()
    since = fields.Instant()
    figures = fields.Dict()
    dismissed = fields.Boolean()

    @ma.pre_dump
    def say_whether_it_was_dismissed(self, alert: BillingAlert, **_: Any) -> dict[str, Any]:
        return {
            "id": alert.id,
            "kind": alert.kind,
            "since": alert.since,
            "figures": alert.figures,
            "dismissed": alert.dismissed_at is not None,
        }


class AlertsSchema(Schema):
    alerts = fields.List(fields.Nested(AlertSchema))
