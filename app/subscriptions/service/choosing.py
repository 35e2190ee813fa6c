"""Which SKU is meant, and how a change from one to another is made."""

from __future__ import annotations

from enum import StrEnum

from app.integrations.stripe.client import stripe_client
from app.integrations.stripe.errors import StripeObjectMissing
from app.subscriptions.errors import (
    IntervalNotOfPlan,
    InvalidPlanType,
    PlanNotSold,
    PriceNotFound,
    PriceNotRecurring,
    PriceNotSet,
)
from app.subscriptions.plans import CURRENCIES, INTERVAL, PLAN_OF, Sku


class Mode(StrEnum):
    """How a change is made (contract §14.2)."""

    CHECKOUT = "checkout"
    SCHEDULED = "scheduled"
    IMMEDIATE = "immediate"
    NONE = "none"


def wanted_sku(plan: str | None, interval: str | None, currency: str) -> Sku:
    """The SKU of a request; the plan implies the interval, and an interval alone the plan.

    Raises InvalidPlanType, IntervalNotOfPlan, PlanNotSold, PriceNotSet.
    """
    plan = plan or PLAN_OF.get(interval or "")
    if plan not in INTERVAL:
        raise InvalidPlanType(field="planType")
    sku = Sku(plan, INTERVAL[plan], currency)
    if interval and interval != sku.interval:
        suggested = {"planCode": plan, "interval": sku.interval, "currency": currency}
        raise IntervalNotOfPlan(field="interval", meta={"suggested": suggested})
    if sku.price_id is None:
        is_sold = any(Sku(plan, sku.interval, other).price_id for other in CURRENCIES)
        raise PriceNotSet(field="currency") if is_sold else PlanNotSold(field="planType")
    return sku


def mode_of(current: Sku, target: Sku) -> Mode:
    """How to get from one to the other."""
    if (current.plan, current.interval) == (target.plan, target.interval):
        return Mode.NONE
    if current.interval == target.interval:
        return Mode.IMMEDIATE
    return Mode.CHECKOUT if target.interval == "year" else Mode.SCHEDULED


def verified_price(sku: Sku) -> str:
    """The id of the SKU's price, after asking Stripe whether it is what we take it for.

    Raises PriceNotFound, PriceNotRecurring, and what `stripe_client` raises.
    """
    price_id = sku.price_id or ""
    try:
        with stripe_client() as stripe:
            price = stripe.v1.prices.retrieve(price_id)
    except StripeObjectMissing as missing:
        raise PriceNotFound from missing
    if price.recurring is None or price.recurring.interval != sku.interval:
        raise PriceNotRecurring
    return price_id
