"""What reports ask about automations. There are none yet, so there is nothing to tell but zeros."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def count_active(_shop_id: int) -> int:
    """How many automations of the shop are switched on. A step."""
    return 0


def count_inactive(_shop_id: int) -> int:
    """How many automations of the shop are switched off. A step."""
    return 0


def active(_shop_id: int) -> Sequence[Any]:
    """The automations that are switched on: id, title, trigger_event, is_active, user_message. A step."""
    return []


def triggered_by_type(_shop_id: int) -> dict[str, int]:
    """How often each trigger has fired. A step."""
    return {}
