"""Shops: who they are, whether they may send, how their links begin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.core.clock import now
from app.core.errors import ValidationFailed
from app.core.settings import settings
from app.core.uow import across_shops, require_unit_of_work, unit_of_work
from app.shops.domains import normalise_domain
from app.shops.errors import ShopNotFound, SubscriptionRequired
from app.shops.models import Shop, ShopStatus, Subscription, SubscriptionStatus

INCLUDED_SMS = {"starter": 100, "pro": 500}
INTERVAL = {"starter": "month", "pro": "year"}
SETTINGS = frozenset(
    {"sender_number", "sender_name", "timezone", "currency", "base_url", "eshop_type", "double_opt_in"}
)
PERIOD = {"month": timedelta(days=30), "year": timedelta(days=365)}


def find_shop(shop_id: int) -> Shop:
    """The shop. A step. Raises ShopNotFound also for one that has uninstalled the app."""
    shop = known_shop(shop_id)
    if shop.status != ShopStatus.ACTIVE:
        raise ShopNotFound
    return shop


def known_shop(shop_id: int) -> Shop:
    """The shop, installed or not, for those whom it has texted. A step. Raises ShopNotFound."""
    shop = require_unit_of_work().get(Shop, shop_id)
    if shop is None:
        raise ShopNotFound
    return shop


def signed_in_shop(shop_id: int) -> Shop:
    """The shop of a verified credential. Raises ShopNotFound."""
    with unit_of_work(shop_id):
        return find_shop(shop_id)


def shop_by_domain(domain: str) -> Shop:
    """The installed shop with this domain. Raises ShopNotFound."""
    with across_shops("sign-in knows the domain, not yet the shop") as session:
        shop = session.scalar(select(Shop).where(Shop.domain == domain, Shop.status == ShopStatus.ACTIVE))
    if shop is None:
        raise ShopNotFound
    return shop


def create_shop(
    domain: str, *, name: str | None = None, plan: str | None = "starter", country: str = "GR"
) -> Shop:
    """Make a shop with an active subscription (none when `plan` is None). Raises ValidationFailed."""
    normal = normalise_domain(domain)
    if normal is None:
        raise ValidationFailed("domain", "must be a myshopify.com domain")
    if plan is not None and plan not in INTERVAL:
        raise ValidationFailed("plan", "must be starter or pro")
    with across_shops("a shop is made before it is anybody's tenant") as session:
        if session.scalar(select(Shop.id).where(Shop.domain == normal)):
            raise ValidationFailed("domain", "is taken by another shop")
        shop = Shop(domain=normal, name=name, country=country)
        session.add(shop)
        session.flush()  # the subscription needs the id
        if plan is not None:
            session.add(_subscription(shop.id, plan))
        session.flush()
        session.refresh(shop)
    return shop


def _subscription(shop_id: int, plan: str) -> Subscription:
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


def subscription_of(shop_id: int) -> Subscription | None:
    """The shop's subscription, whatever its state. A step."""
    return require_unit_of_work().get(Subscription, shop_id)


def change_settings(shop_id: int, **values: Any) -> Shop:
    """Set some of SETTINGS to values that have been checked. A step. Raises ShopNotFound."""
    if not values.keys() <= SETTINGS:
        raise TypeError(f"not settings of a shop: {', '.join(sorted(values.keys() - SETTINGS))}")
    shop = find_shop(shop_id)
    for name, value in values.items():
        setattr(shop, name, value)
    if values:
        shop.updated_at = now()
    return shop


def require_active_subscription(shop_id: int) -> None:
    """A step. Raises SubscriptionRequired."""
    subscription = subscription_of(shop_id)
    if subscription is None or not subscription.is_active:
        raise SubscriptionRequired


def sender_of(shop: Shop) -> str:
    """What the recipient sees as sender: number, else name, else the default. The same everywhere."""
    return shop.sender_number or shop.sender_name or settings().mitto_sender_name


def zone_of(shop: Shop) -> ZoneInfo:
    """The shop's time zone."""
    return ZoneInfo(shop.timezone)
