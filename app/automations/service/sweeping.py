"""What starts by itself: welcomes, birthdays, and people who have not bought for long.

Everything is found by its facts, so a missed round is made up for by the next one; the unique key of an entry
keeps two rounds from starting anything twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from app.automations import queries
from app.automations.calendar import at_hour
from app.automations.models import Trigger
from app.automations.service.entering import enter
from app.core.clock import now
from app.core.uow import across_shops, require_unit_of_work, unit_of_work
from app.shops import service as shops
from app.shops.errors import ShopNotFound

MORNING = 10  # o'clock in the shop's zone
INACTIVE_DAYS = 90
WELCOMES = 500


def shops_with_news() -> Sequence[int]:
    """The shops with somebody to welcome."""
    with across_shops("new subscribers of all shops are welcomed") as session:
        return session.scalars(queries.SHOPS_WITH_NEWS).all()


def welcome(shop_id: int) -> bool:
    """Enter new subscribers into the shop's welcome automations. True when there may be more."""
    with unit_of_work(shop_id):
        try:
            shops.find_shop(shop_id)
        except ShopNotFound:
            return False
        found = queries.new_subscribers(shop_id, WELCOMES)
        for new in found:
            if new.contact_id is not None:
                enter(shop_id, Trigger.WELCOME, new.contact_id, event_key="welcome", occurred_at=new.at)
    return len(found) == WELCOMES


def start_birthdays() -> None:
    """Enter whoever has a birthday today, once that day's morning has come to the shop."""
    _each_morning(Trigger.BIRTHDAY, _birthdays)


def start_win_backs() -> None:
    """Enter whoever has not ordered for as many days as the automation says."""
    _each_morning(Trigger.CUSTOMER_INACTIVE, _win_backs)


def _each_morning(event: Trigger, start: Any) -> None:
    with across_shops("every shop has its own morning"):
        automations = queries.active_everywhere(event)
    for automation in automations:
        with unit_of_work(automation.shop_id):
            try:
                zone = shops.zone_of(shops.find_shop(automation.shop_id))
            except ShopNotFound:
                continue
            today = now().astimezone(zone).date()
            due_at = at_hour(today, _hour(automation.conditions), zone)
            if now() >= due_at:
                values = {"shop_id": automation.shop_id, "automation_id": automation.id, "now": now()}
                start(automation, today, {**values, "due_at": due_at})


def _birthdays(_automation: Any, today: date, values: dict[str, Any]) -> None:
    _execute(queries.BIRTHDAYS, {**values, "today": today, "event_key": f"birthday:{today.year}"})


def _win_backs(automation: Any, _today: date, values: dict[str, Any]) -> None:
    days = automation.conditions.get("days")
    _execute(queries.INACTIVE, {**values, "days": days if isinstance(days, int) else INACTIVE_DAYS})


def _execute(statement: Any, values: dict[str, Any]) -> None:
    require_unit_of_work().execute(statement, values)


def _hour(conditions: dict[str, Any]) -> int:
    hour = conditions.get("localHour")
    return hour if isinstance(hour, int) and 0 <= hour <= 23 else MORNING
