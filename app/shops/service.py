"""Shops: who they are, how their links begin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import select, text, update

from app.core.clock import now
from app.core.errors import ValidationFailed
from app.core.settings import settings
from app.core.uow import across_shops, require_unit_of_work, unit_of_work
from app.shops.domains import normalise_domain
from app.shops.errors import ShopNotFound
from app.shops.models import Shop, ShopStatus

SETTINGS = frozenset(
    {"sender_number", "sender_name", "timezone", "currency", "base_url", "eshop_type", "double_opt_in"}
)
CURRENCIES = frozenset({"EUR", "USD"})
LONGEST_NAME = 200
ADMIT = text("""
    INSERT INTO shops (domain, status) VALUES (:domain, 'active')
    ON CONFLICT (domain) DO UPDATE SET status = 'active', updated_at = now() WHERE shops.status <> 'inactive'
    RETURNING id""")
DISMISS = text("""
    UPDATE shops SET status = 'uninstalled', updated_at = now()
    WHERE id = :shop_id AND status <> 'inactive'""")


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


def create_shop(domain: str, *, name: str | None = None, country: str = "GR") -> Shop:
    """Make a shop, without a subscription. A step of a transaction that crosses shops.

    Raises ValidationFailed.
    """
    session = require_unit_of_work()
    normal = normalise_domain(domain)
    if normal is None:
        raise ValidationFailed("domain", "must be a myshopify.com domain")
    if session.scalar(select(Shop.id).where(Shop.domain == normal)):
        raise ValidationFailed("domain", "is taken by another shop")
    shop = Shop(domain=normal, name=name, country=country)
    session.add(shop)
    session.flush()  # what is made for it needs its id
    session.refresh(shop)
    return shop


def admit(domain: str) -> Shop:
    """The shop with this domain, installed from now on: as it was, or new and without a subscription.

    A step of a transaction that crosses shops. Raises ShopNotFound for one that our staff have put out.
    """
    session = require_unit_of_work()
    shop_id = session.scalar(ADMIT, {"domain": domain})
    if shop_id is None:
        raise ShopNotFound
    return session.get_one(Shop, shop_id, populate_existing=True)


def dismiss(shop_id: int) -> None:
    """The shop has uninstalled the app: nobody signs in to it and nothing is sent for it. A step."""
    require_unit_of_work().execute(DISMISS, {"shop_id": shop_id})


def was_made_before(shop_id: int, moment: datetime) -> bool:
    """Whether the shop was there at a moment. A step."""
    made = select(Shop.id).where(Shop.id == shop_id, Shop.created_at <= moment)
    return require_unit_of_work().scalar(made) is not None


def describe(shop_id: int, **facts: str) -> None:
    """Set the name, country, currency or zone that Shopify says; what we cannot use is left as it is.

    A step. A currency that we do not charge in, and a zone or country that nobody knows, change nothing.
    """
    usable = {name: fact for name, fact in facts.items() if IS_USABLE[name](fact)}
    if usable:
        values = {**usable, "updated_at": now()}
        require_unit_of_work().execute(update(Shop).where(Shop.id == shop_id).values(values))


def _is_zone(name: str) -> bool:
    return name in available_timezones()


def _is_country(code: str) -> bool:
    return len(code) == 2 and code.isascii() and code.isupper()


IS_USABLE: dict[str, Callable[[str], bool]] = {
    "name": lambda name: 0 < len(name) <= LONGEST_NAME and "\x00" not in name,
    "country": _is_country,
    "currency": lambda code: code in CURRENCIES,
    "timezone": _is_zone,
}


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


def sender_of(shop: Shop) -> str:
    """What the recipient sees as sender: number, else name, else the default. The same everywhere."""
    return shop.sender_number or shop.sender_name or settings().mitto_sender_name


def zone_of(shop: Shop) -> ZoneInfo:
    """The shop's time zone."""
    return ZoneInfo(shop.timezone)
