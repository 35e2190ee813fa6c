"""How a shop stands: what it subscribes to, and whether it may send."""

from __future__ import annotations

from app.core.clock import now
from app.core.errors import ValidationFailed
from app.core.uow import across_shops, require_unit_of_work, unit_of_work
from app.credits import service as credits
from app.shops import service as shops
from app.shops.models import Shop
from app.subscriptions.errors import SubscriptionRequired
from app.subscriptions.models import Subscription, SubscriptionStatus
from app.subscriptions.plans import INCLUDED_SMS, INTERVAL, PERIOD


def subscription_of(shop_id: int) -> Subscription | None:
    """The shop's subscription, whatever its state. A step."""
    return require_unit_of_work().get(Subscription, shop_id)


def is_subscribed(shop_id: int) -> bool:
    """Whether the shop may send. A step."""
    subscription = subscription_of(shop_id)
    return subscription is not None and subscription.is_active


def require_active_subscription(shop_id: int) -> None:
    """A step. Raises SubscriptionRequired."""
    if not is_subscribed(shop_id):
        raise SubscriptionRequired


def create_shop(
    domain: str, *, name: str | None = None, plan: str | None = "starter", country: str = "GR"
) -> Shop:
    """Make a shop with an active subscription that nobody pays for (none when `plan` is None).

    Raises ValidationFailed.
    """
    if plan is not None and plan not in INTERVAL:
        raise ValidationFailed("plan", "must be starter or pro")
    with across_shops("a shop is made before it is anybody's tenant") as session:
        shop = shops.create_shop(domain, name=name, country=country)
        if plan is not None:
            session.add(_unpaid(shop.id, plan))
    return shop


def start_allowance(shop_id: int) -> None:
    """Include the SMS of the period of a subscription that nobody pays for, once per period."""
    with unit_of_work(shop_id):
        subscription = subscription_of(shop_id)
        if subscription and subscription.is_active and subscription.period_start:
            period = subscription.period_start.isoformat()
            credits.start_allowance_period(shop_id, subscription.included_sms, period=period)


def _unpaid(shop_id: int, plan: str) -> Subscription:
    start = now()
    return Subscription(
        shop_id=shop_id,
        plan=plan,
        billing_interval=INTERVAL[plan],
        status=SubscriptionStatus.ACTIVE,
        included_sms=INCLUDED_SMS[plan],
        period_start=start,
        period_end=start + PERIOD[INTERVAL[plan]],
    )
