"""The balance that both clients poll."""

from __future__ import annotations

from typing import Any

from flask import g

from app.billing import service
from app.billing.models import Invoice
from app.billing.schemas import (
    BalanceSchema,
    BillingHistoryQuery,
    BillingSummarySchema,
    HistoryItemSchema,
    HistoryQuery,
    InvoiceQuery,
    InvoiceSchema,
    PackageQuery,
    PackagesSchema,
    PublicPackagesSchema,
    TransactionSchema,
)
from app.billing.service import history, invoices
from app.billing.service.history import Wanted
from app.core.cache import cached, revalidated
from app.core.http import ApiBlueprint, Page, page_schema
from app.purchases.service import packages
from app.purchases.service.packages import Offer
from app.subscriptions.service import showing

blueprint = ApiBlueprint("billing", __name__, description="Credits and subscription")
public = ApiBlueprint("prices", __name__, public=True, description="What credits cost")


@blueprint.get("/billing/balance")
@blueprint.data(200, BalanceSchema, mirror=True)
def show_balance() -> dict[str, Any]:
    """The shop's credits now: what it has, what is reserved, what is free."""
    account = service.account(g.shop)
    owned = account.balance.wallet + account.balance.held_of_wallet
    return {
        "credits": owned,
        "balance": owned,
        "reserved": account.balance.held_of_wallet,
        "available": account.balance.wallet,
        "currency": account.shop.currency,
        "subscription": showing.show(account.standing),
    }


@blueprint.get("/billing/summary")
@blueprint.data(200, BillingSummarySchema)
def show_summary() -> dict[str, Any]:
    """Subscription, allowance and credits together."""
    account = service.account(g.shop)
    shown = showing.show(account.standing)
    return {
        "subscription": shown,
        "allowance": {
            "includedPerPeriod": shown["includedSmsPerPeriod"],
            "usedThisPeriod": shown["usedSmsThisPeriod"],
            "remainingThisPeriod": shown["remainingSmsThisPeriod"],
            "currentPeriodStart": shown["currentPeriodStart"],
            "currentPeriodEnd": shown["currentPeriodEnd"],
            "interval": shown["interval"],
        },
        "credits": {
            "balance": account.balance.wallet + account.balance.held_of_wallet,
            "currency": shown["currency"],
        },
        "billingCurrency": shown["billingCurrency"],
    }


@blueprint.get("/billing/packages")
@revalidated
@blueprint.arguments(PackageQuery, location="query")
@blueprint.data(200, PackagesSchema, mirror=True)
def list_packages(query: dict[str, Any]) -> Offer:
    """List the packages of credits that the shop can buy; none without an active subscription."""
    return packages.offer_to(g.shop_id, query["currency"])


@blueprint.get("/billing/history")
@cached("billing", "figures", seconds=300)
@blueprint.arguments(HistoryQuery, location="query")
@blueprint.data(200, page_schema(TransactionSchema, "transactions"), mirror=True)
def list_history(query: dict[str, Any]) -> Page[Any]:
    """What the shop has bought, been charged and been given; with a `type`, how its credits moved."""
    return history.history(g.shop_id, Wanted(**query))


@blueprint.get("/billing/billing-history")
@cached("billing", "figures", seconds=300)
@blueprint.arguments(BillingHistoryQuery, location="query")
@blueprint.data(200, page_schema(HistoryItemSchema, "transactions"))
def list_billing_history(query: dict[str, Any]) -> Page[Any]:
    """What the shop has bought, been charged and been given, by status."""
    return history.history(g.shop_id, Wanted(**query))


@blueprint.get("/billing/invoices")
@cached("billing", seconds=300)
@blueprint.arguments(InvoiceQuery, location="query")
@blueprint.data(200, page_schema(InvoiceSchema, "invoices"))
def list_invoices(query: dict[str, Any]) -> Page[Invoice]:
    """List the invoices of the subscription, the newest first."""
    return invoices.listed(g.shop_id, query["page"], query["page_size"], query["status"])


@public.get("/public/packages")
@revalidated
@public.arguments(PackageQuery, location="query")
@public.data(200, PublicPackagesSchema)
def list_public_packages(query: dict[str, Any]) -> dict[str, Any]:
    """List the packages of credits with their prices, for everybody."""
    currency = query["currency"] or packages.CURRENCIES[0]
    return {"packages": packages.catalogue(currency), "currency": currency}
