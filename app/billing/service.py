"""What a shop has paid for: its subscription, its allowance, its credits."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.activity import record
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.credits.service import Balance
from app.shops import service as shops
from app.shops.models import Shop, Subscription


@dataclass(frozen=True)
class Account:
    """A shop's subscription (None without one) and credits."""

    shop: Shop
    subscription: Subscription | None
    balance: Balance


def open_shop(
    domain: str, *, name: str | None = None, plan: str | None = "starter", country: str = "GR"
) -> Shop:
    """Make a shop, and start the allowance of its plan. Raises ValidationFailed.

    The allowance is keyed by its period: a process that dies in between leaves a shop whose allowance
    `start_allowance` still grants, once.
    """
    shop = shops.create_shop(domain, name=name, plan=plan, country=country)
    start_allowance(shop.id)
    return shop


def start_allowance(shop_id: int) -> None:
    """Grant the allowance of the subscription's current period, once per period."""
    with unit_of_work(shop_id):
        subscription = shops.subscription_of(shop_id)
        if subscription and subscription.is_active and subscription.period_start:
            period = subscription.period_start.isoformat()
            credits.start_allowance_period(shop_id, subscription.included_sms, period=period)


def grant_credits(shop_id: int, amount: int, *, key: str, reason: str) -> bool:
    """Give credits, once per `key`; True when this call did."""
    with unit_of_work(shop_id):
        is_new = credits.grant(shop_id, amount, key=key, reason=reason)
        if is_new:
            record(shop_id, "credits.granted", "credits", amount=amount)
    return is_new


def balance(shop_id: int) -> Balance:
    """The shop's credits."""
    with unit_of_work(shop_id):
        return credits.balance_of(shop_id)


def account(shop: Shop) -> Account:
    """Everything the billing page polls, in two reads and without asking anybody else."""
    with unit_of_work(shop.id):
        return Account(shop, shops.subscription_of(shop.id), credits.balance_of(shop.id))
