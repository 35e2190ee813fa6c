"""What a shop has paid for: its subscription, its allowance, its credits."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.activity import record
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.credits.service import Balance
from app.shops.models import Shop
from app.subscriptions.models import Subscription
from app.subscriptions.service import standing as subscriptions
from app.subscriptions.service.showing import Standing


@dataclass(frozen=True)
class Account:
    """A shop's subscription (None without one) and credits."""

    shop: Shop
    subscription: Subscription | None
    balance: Balance

    @property
    def standing(self) -> Standing:
        """What is shown of the subscription."""
        return Standing(self.shop, self.subscription, self.balance.allowance)


def open_shop(
    domain: str, *, name: str | None = None, plan: str | None = "starter", country: str = "GR"
) -> Shop:
    """Make a shop, and start the allowance of its plan. Raises ValidationFailed.

    The allowance is keyed by its period: a process that dies in between leaves a shop whose allowance
    `start_allowance` still grants, once.
    """
    shop = subscriptions.create_shop(domain, name=name, plan=plan, country=country)
    subscriptions.start_allowance(shop.id)
    return shop


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
        return Account(shop, subscriptions.subscription_of(shop.id), credits.balance_of(shop.id))
