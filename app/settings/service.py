"""What a merchant decides about the shop's texts, and what the account page shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.campaigns import queries as campaigns
from app.contacts import queries as contacts
from app.contacts.queries import ContactFilter
from app.core.activity import record
from app.core.cache import changed
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.messaging.service import statistics
from app.shops import service as shops
from app.shops.models import Shop


@dataclass(frozen=True)
class Settings:
    """A shop with its wallet, in credits."""

    shop: Shop
    wallet: int

    @property
    def sender_id(self) -> str:
        """What was chosen as sender: the number, else the name, else nothing (then the default is used)."""
        return self.shop.sender_number or self.shop.sender_name or ""


@dataclass(frozen=True)
class Usage:
    """How much the shop has of everything. `messages` were taken by the provider."""

    contacts: int
    campaigns: int
    messages: int
    automations: int = 0
    spent_cents: int = 0


@dataclass(frozen=True)
class Account:
    settings: Settings
    usage: Usage


def read(shop_id: int) -> Settings:
    """The shop's settings."""
    with unit_of_work(shop_id):
        return _settings(shops.find_shop(shop_id))


def change(shop_id: int, values: dict[str, Any]) -> Settings:
    """Change the settings that `values` names (columns of the shop, checked); the others stay."""
    with unit_of_work(shop_id) as session:
        shop = shops.change_settings(shop_id, **values)
        record(shop_id, "settings.changed", "settings", changed=sorted(values))
        changed(shop_id, "settings")
        session.flush()  # the wallet is read beside what has been written
        return _settings(shop)


def account(shop_id: int) -> Account:
    """The shop's settings, and what it has used so far."""
    with unit_of_work(shop_id):
        used = Usage(
            contacts=contacts.counted(shop_id, ContactFilter()),
            campaigns=sum(campaigns.count_by_status(shop_id).values()),
            messages=statistics.totals(shop_id).accepted,
        )
        return Account(_settings(shops.find_shop(shop_id)), used)


def _settings(shop: Shop) -> Settings:
    return Settings(shop, credits.balance_of(shop.id).wallet)
