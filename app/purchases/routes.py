"""Buying credits, and what a shop chooses and is told about it."""

from __future__ import annotations

from typing import Any

from flask import g, request

from app.core.http import ApiBlueprint
from app.core.idempotency import read_key
from app.payers.service.vat import ip_country
from app.purchases.models import BillingAlert, RechargeSettings
from app.purchases.return_urls import returns
from app.purchases.schemas import (
    AlertSchema,
    AlertsSchema,
    PackageCheckoutSchema,
    PackageRequest,
    PriceQuery,
    PriceSchema,
    RechargeRequest,
    RechargeSchema,
    TopupRequest,
    TopupSchema,
    checkout_shown,
    package_shown,
    price_shown,
)
from app.purchases.service import alerting, buying, pricing, recharging
from app.purchases.service.buying import Asked

blueprint = ApiBlueprint("purchases", __name__, description="Buying credits")


@blueprint.get("/billing/topup/calculate")
@blueprint.arguments(PriceQuery, location="query")
@blueprint.data(200, PriceSchema, mirror=True)
def calculate_topup(query: dict[str, Any]) -> dict[str, Any]:
    """Tell what so many credits cost, with VAT."""
    many = query["credits"]
    currency, price = pricing.calculate(g.shop_id, many, query["currency"], _country())
    return price_shown(many, currency, price)


@blueprint.post("/billing/topup")
@blueprint.arguments(TopupRequest)
@blueprint.data(201, TopupSchema, mirror=True)
@blueprint.errors(409, 502, 503)
def top_up(body: dict[str, Any]) -> dict[str, Any]:
    """Begin to buy any number of credits; the answer names Stripe's page to pay at."""
    begun = buying.buy_credits(g.shop_id, body["credits"], _asked(body, "credit_topup"))
    purchase = begun.purchase
    price = price_shown(purchase.credits, purchase.currency, pricing.vat_of(purchase))
    return checkout_shown(begun) | {
        "credits": purchase.credits,
        "price_eur": price["price_eur"],
        "price_breakdown": price,
    }


@blueprint.post("/billing/purchase")
@blueprint.arguments(PackageRequest)
@blueprint.data(201, PackageCheckoutSchema, mirror=True)
@blueprint.errors(402, 404, 409, 502, 503)
def buy_package(body: dict[str, Any]) -> dict[str, Any]:
    """Begin to buy a package. The same Idempotency-Key gives the same page again."""
    begun = buying.buy_package(g.shop_id, body["package_id"], _asked(body, "credit_pack"))
    return checkout_shown(begun) | {"package": package_shown(begun.purchase)}


@blueprint.get("/billing/recharge")
@blueprint.data(200, RechargeSchema)
def show_recharge() -> RechargeSettings:
    """Tell when we may buy credits for the shop."""
    return recharging.settings_of(g.shop_id)


@blueprint.put("/billing/recharge")
@blueprint.arguments(RechargeRequest)
@blueprint.data(200, RechargeSchema)
def choose_recharge(body: dict[str, Any]) -> RechargeSettings:
    """Choose when we may buy credits for the shop, and for how much a month at most."""
    return recharging.choose(g.shop_id, body)


@blueprint.get("/billing/alerts")
@blueprint.data(200, AlertsSchema)
def list_alerts() -> dict[str, Any]:
    """List what the shop should know about its money."""
    return {"alerts": alerting.alerts_of(g.shop_id)}


@blueprint.post("/billing/alerts/<id:alert_id>/dismiss")
@blueprint.data(200, AlertSchema)
@blueprint.errors(404)
def dismiss_alert(alert_id: int) -> BillingAlert:
    """Let an alert be out of sight for as long as it lasts."""
    return alerting.dismiss(g.shop_id, alert_id)


def _asked(body: dict[str, Any], kind: str) -> Asked:
    back = returns(body["success_url"], body["cancel_url"], kind)
    return Asked(
        success_url=back.success,
        cancel_url=back.cancel,
        currency=body["currency"],
        ip_country=_country(),
        key=read_key(request.headers.get("Idempotency-Key") or request.headers.get("X-Idempotency-Key")),
    )


def _country() -> str | None:
    return ip_country(request.headers)  # type: ignore[arg-type]  # a mapping in all but name
