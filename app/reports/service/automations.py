"""What reports ask about automations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.automations.models import AutomationStatus
from app.automations.service import figures


def count_active(shop_id: int) -> int:
    """How many automations of the shop are switched on. A step."""
    return figures.count_by_status(shop_id)[AutomationStatus.ACTIVE]


def count_inactive(shop_id: int) -> int:
    """How many automations of the shop are switched off. A step."""
    by_status = figures.count_by_status(shop_id)
    return sum(by_status.values()) - by_status[AutomationStatus.ACTIVE]


def active(shop_id: int) -> Sequence[Any]:
    """The automations that are switched on: id, title, trigger_event, is_active, user_message. A step."""
    return figures.active_automations(shop_id)


def names(shop_id: int) -> dict[int, str]:
    """The shop's automations' names by id. A step."""
    return figures.names(shop_id)


def attempts(shop_id: int, starts_at: datetime, ends_at: datetime) -> tuple[dict[str, int], dict[str, int]]:
    """How often each trigger has fired in the time, and how often each outcome came about. A step."""
    by_trigger: Counter[str] = Counter()
    by_outcome: Counter[str] = Counter()
    for row in figures.attempts_between(shop_id, starts_at, ends_at):
        by_trigger[row.trigger] += row.total
        by_outcome[row.outcome] += row.total
    return dict(by_trigger), dict(by_outcome)
