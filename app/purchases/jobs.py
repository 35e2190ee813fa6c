"""Doorbells of purchases. Harmless twice, late or never: purchases wait as rows."""

from __future__ import annotations

from app.core.jobs import doorbell, periodic
from app.core.queue import wake
from app.purchases.service import alerting, buying, recharging, reconciling


@doorbell("purchases.recharge")
def recharge(shop_id: int) -> None:
    """Buy credits for a shop that lets us and has few left."""
    recharging.recharge(shop_id)


@doorbell("purchases.charge")
def charge(shop_id: int, purchase_id: int) -> None:
    """Ask again what became of a recharge."""
    recharging.charge(shop_id, purchase_id)


@periodic("purchases.sweep", every_seconds=60)
def sweep() -> None:
    """Ring where credits run low or an answer is missing, watch balances, close what nobody can pay."""
    alerting.watch()
    buying.expire_abandoned()
    for shop_id in recharging.due_shops():
        wake("purchases.recharge", shop_id)
    for shop_id, purchase_id in recharging.unanswered():
        wake("purchases.charge", shop_id, purchase_id)


@periodic(reconciling.TASK, every_seconds=86_400)
def reconcile() -> None:
    """Find payments that Stripe could not tell us of."""
    reconciling.reconcile()
