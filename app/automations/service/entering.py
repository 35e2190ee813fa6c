"""Putting contacts into automations. Every step here may be repeated: an event enters a contact once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.automations import queries
from app.automations.calendar import later
from app.automations.catalogue import facts_of
from app.automations.models import Trigger
from app.core.clock import now
from app.core.queue import wake
from app.core.uow import after_commit, require_unit_of_work
from app.shops import service as shops

# Shopify tells whole seconds of its own clock.
CLOCKS_DIFFER = timedelta(seconds=60)
SINGLE_ITEM_DELAY = 30  # minutes: one thing forgotten in a cart is asked about sooner


def enter(
    shop_id: int,
    event: Trigger,
    contact_id: int,
    *,
    event_key: str,
    occurred_at: datetime,
    facts: Mapping[str, Any] | None = None,
) -> int:
    """Put the contact into every active automation that `event` fires; how many were new. A step.

    Once per (automation, contact, event_key). Step 1 is due after its delay, counted from `occurred_at`.
    Events from before an automation was switched on do not count.
    """
    zone = shops.zone_of(shops.find_shop(shop_id))
    rows = [
        {
            "automation_id": automation.id,
            "contact_id": contact_id,
            "event_key": event_key,
            "facts": dict(facts or {}),
            "due_at": _due(automation, occurred_at, zone, facts or {}),
        }
        for automation in queries.active_for(shop_id, event)
        if automation.activated_at is None or occurred_at >= automation.activated_at - CLOCKS_DIFFER
    ]
    rows = [row for row in rows if row["due_at"] > now() - queries.TOO_LATE]
    new = queries.enter(shop_id, rows, at=occurred_at)
    if any(row["due_at"] <= now() for row in rows):
        after_commit(lambda: wake("automations.work", shop_id))
    return new


def postpone(
    shop_id: int, event: Trigger, contact_id: int, *, event_key: str, to: datetime, facts: Mapping[str, Any]
) -> None:
    """Let what has not begun yet begin later: the event goes on. A step."""
    zone = shops.zone_of(shops.find_shop(shop_id))
    for automation in queries.active_for(shop_id, event):
        due_at = _due(automation, to, zone, facts)
        values = {"shop_id": shop_id, "automation_id": automation.id, "contact_id": contact_id}
        require_unit_of_work().execute(queries.POSTPONE, {**values, "event_key": event_key, "due_at": due_at})


def _due(automation: Any, moment: datetime, zone: ZoneInfo, facts: Mapping[str, Any]) -> datetime:
    delay = automation.delay_minutes
    usual = facts_of(Trigger(automation.trigger)).delay_minutes
    if facts.get("is_single_item") and delay == usual:
        delay = SINGLE_ITEM_DELAY
    return later(moment, delay, zone)
