"""Doorbells of automations. All are harmless twice, late or never: the entries wait."""

from __future__ import annotations

from app.automations.service import sweeping, working
from app.core.jobs import doorbell, periodic
from app.core.queue import wake


@doorbell("automations.work")
def work(shop_id: int) -> None:
    """Do the shop's due steps."""
    if working.work(shop_id):
        wake("automations.work", shop_id)


@doorbell("automations.welcome")
def welcome(shop_id: int) -> None:
    """Enter the shop's new subscribers."""
    if sweeping.welcome(shop_id):
        wake("automations.welcome", shop_id)


@periodic("automations.sweep", every_seconds=5)
def sweep() -> None:
    """Ring where something is due or somebody new is to be welcomed."""
    for shop_id in sweeping.shops_with_news():
        wake("automations.welcome", shop_id)
    for shop_id in working.shops_with_due():
        wake("automations.work", shop_id)


@periodic("automations.mornings", every_seconds=900)
def mornings() -> None:
    """Enter birthdays and people who have not bought for long, where it is morning."""
    sweeping.start_birthdays()
    sweeping.start_win_backs()
