"""A subscription as both clients read it (contract §14.1), and what may be done with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from app.core.clock import now
from app.core.queue import wake
from app.core.uow import after_commit, unit_of_work
from app.credits import service as credits
from app.integrations.stripe.client import is_configured
from app.shops import service as shops
from app.shops.models import Shop
from app.subscriptions.models import Subscription, SubscriptionStatus
from app.subscriptions.plans import INCLUDED_SMS, PRICE_EUR, all_skus
from app.subscriptions.service.standing import subscription_of

FRESH_FOR = timedelta(minutes=5)
UNPAID = frozenset({SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID, SubscriptionStatus.PAUSED})
KEPT_BY_STRIPE = ("updatePaymentMethod", "viewInvoices", "refreshFromStripe")


@dataclass(frozen=True)
class Standing:
    """What is shown of a shop: its subscription (None without one) and what is left of the allowance."""

    shop: Shop
    subscription: Subscription | None
    allowance: int

    @property
    def currency(self) -> str:
        """What the shop is billed in."""
        return self.subscription.currency if self.subscription else self.shop.currency

    @property
    def included(self) -> int:
        return self.subscription.included_sms if self.subscription else 0

    @property
    def left(self) -> int:
        """Refunds may give back more than a smaller plan includes."""
        return min(self.allowance, self.included)


def status(shop: Shop) -> dict[str, Any]:
    """What `GET /subscriptions/status` says: two reads and nobody else is asked; old news ring a bell."""
    with unit_of_work(shop.id):
        subscription = subscription_of(shop.id)
        if subscription is not None and is_stale(subscription):
            after_commit(partial(wake, "subscriptions.refresh", shop.id))
        return show(Standing(shop, subscription, credits.balance_of(shop.id).allowance))


def status_of(shop_id: int) -> dict[str, Any]:
    """The same, after something was done."""
    with unit_of_work(shop_id):
        allowance = credits.balance_of(shop_id).allowance
        return show(Standing(shops.find_shop(shop_id), subscription_of(shop_id), allowance))


def is_stale(subscription: Subscription) -> bool:
    """Whether Stripe should be asked again in the background."""
    if subscription.stripe_subscription_id is None or not is_configured():
        return False
    return subscription.last_synced_at is None or now() - subscription.last_synced_at > FRESH_FOR


def show(standing: Standing) -> dict[str, Any]:
    """The object that every answer about subscriptions carries."""
    found = standing.subscription
    if found is None or found.status == SubscriptionStatus.INACTIVE:
        return {**_frame(standing), **_nothing()}
    return {
        **_frame(standing),
        "active": found.is_active,
        "planType": found.plan,
        "planCode": found.plan,
        "status": found.status,
        "interval": found.billing_interval,
        "currentPeriodStart": found.period_start,
        "currentPeriodEnd": found.period_end,
        "cancelAtPeriodEnd": found.cancel_at_period_end,
        "includedSmsPerPeriod": standing.included,
        "usedSmsThisPeriod": standing.included - standing.left,
        "remainingSmsThisPeriod": standing.left,
        "lastBillingError": found.last_billing_error,
        "stripeCustomerId": found.stripe_customer_id,
        "stripeSubscriptionId": found.stripe_subscription_id,
        "lastFreeCreditsAllocatedAt": found.allowance_started_at,
        "pendingChange": _pending(found),
        "plan": {"priceEur": PRICE_EUR[found.plan], "freeCredits": INCLUDED_SMS[found.plan]},
        "allowedActions": allowed_actions(found),
        "lastSyncedAt": found.last_synced_at,
        "sourceOfTruth": found.source_of_truth,
    }


def allowed_actions(found: Subscription) -> list[str]:
    """What the merchant may do with it now, by the clients' words."""
    if found.status == SubscriptionStatus.CANCELLED:
        return ["subscribe", "viewInvoices"]
    if found.status == SubscriptionStatus.INCOMPLETE:
        return ["updatePaymentMethod", "viewInvoices", "refreshFromStripe"]
    if found.status in UNPAID:
        return ["updatePaymentMethod", "refreshFromStripe", "viewInvoices"]
    if found.cancel_at_period_end:
        return ["resumeSubscription", *KEPT_BY_STRIPE]
    if found.pending_plan:
        return ["changePlan", "cancelScheduledChange", *KEPT_BY_STRIPE]
    others = [one for one in available_options() if one["interval"] != found.billing_interval]
    switch = ["switchInterval"] if others else []
    return ["changePlan", *switch, "cancelAtPeriodEnd", *KEPT_BY_STRIPE]


def available_options() -> list[dict[str, str]]:
    """What is for sale here in any currency: the SKUs whose price at Stripe is configured."""
    return [
        {
            "planCode": sku.plan,
            "interval": sku.interval,
            "currency": sku.currency,
            "priceId": sku.price_id,
        }
        for sku in all_skus()
        if sku.is_for_sale and sku.price_id and is_configured()
    ]


def _frame(standing: Standing) -> dict[str, Any]:
    return {
        "billingCurrency": standing.currency,
        "currency": standing.currency,
        "availableOptions": available_options(),
        "derivedFrom": "db",
        "mismatchDetected": False,
    }


def _nothing() -> dict[str, Any]:
    absent = (
        *("planType", "planCode", "interval", "currentPeriodStart", "currentPeriodEnd", "lastBillingError"),
        *("stripeCustomerId", "stripeSubscriptionId", "lastFreeCreditsAllocatedAt", "pendingChange", "plan"),
        *("lastSyncedAt", "sourceOfTruth"),
    )
    return {
        **dict.fromkeys(absent),
        **dict.fromkeys(("includedSmsPerPeriod", "usedSmsThisPeriod", "remainingSmsThisPeriod"), 0),
        "active": False,
        "status": "inactive",
        "cancelAtPeriodEnd": False,
        "allowedActions": ["subscribe", "viewPlans"],
    }


def _pending(found: Subscription) -> dict[str, Any] | None:
    if found.pending_plan is None:
        return None
    return {
        "planCode": found.pending_plan,
        "interval": found.pending_interval,
        "currency": found.pending_currency,
        "effectiveAt": found.pending_effective_at,
    }
