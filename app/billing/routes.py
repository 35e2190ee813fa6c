"""The balance that both clients poll."""

from __future__ import annotations

from typing import Any

from flask import g

from app.billing import packages, service
from app.billing.packages import Offer
from app.billing.schemas import BalanceSchema, PackageQuery, PackagesSchema, PublicPackagesSchema
from app.billing.service import Account
from app.core.cache import revalidated
from app.core.http import ApiBlueprint

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
        "subscription": _subscription(account),
    }


@blueprint.get("/billing/packages")
@revalidated
@blueprint.arguments(PackageQuery, location="query")
@blueprint.data(200, PackagesSchema, mirror=True)
def list_packages(query: dict[str, Any]) -> Offer:
    """List the packages of credits that the shop can buy; none without an active subscription."""
    return packages.offer_to(g.shop_id, query["currency"])


@public.get("/public/packages")
@revalidated
@public.arguments(PackageQuery, location="query")
@public.data(200, PublicPackagesSchema)
def list_public_packages(query: dict[str, Any]) -> dict[str, Any]:
    """List the packages of credits with their prices, for everybody."""
    currency = query["currency"] or packages.CURRENCIES[0]
    return {"packages": packages.catalogue(currency), "currency": currency}


def _subscription(account: Account) -> dict[str, Any]:
    found, currency = account.subscription, account.shop.currency
    none: dict[str, Any] = {
        "billingCurrency": currency,
        "currency": currency,
        "pendingChange": None,
        "availableOptions": [],
    }
    if found is None:
        return none | {
            "active": False,
            "planType": None,
            "planCode": None,
            "status": "inactive",
            "interval": None,
            "currentPeriodStart": None,
            "currentPeriodEnd": None,
            "cancelAtPeriodEnd": False,
            "includedSmsPerPeriod": 0,
            "usedSmsThisPeriod": 0,
            "remainingSmsThisPeriod": 0,
            "allowedActions": ["subscribe", "viewPlans"],
        }
    left = min(account.balance.allowance, found.included_sms)
    return none | {
        "active": found.is_active,
        "planType": found.plan,
        "planCode": found.plan,
        "status": found.status,
        "interval": found.billing_interval,
        "currentPeriodStart": found.period_start,
        "currentPeriodEnd": found.period_end,
        "cancelAtPeriodEnd": found.cancel_at_period_end,
        "includedSmsPerPeriod": found.included_sms,
        "usedSmsThisPeriod": found.included_sms - left,
        "remainingSmsThisPeriod": left,
        "allowedActions": ["viewInvoices"] if found.is_active else ["subscribe", "viewPlans"],
    }
