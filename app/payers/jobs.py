"""Doorbells of payers. Harmless twice, late or never: the sweep rings for what still waits."""

from __future__ import annotations

from app.core.jobs import doorbell, periodic
from app.payers.service import checking, pushing


@doorbell("payers.push")
def push(shop_id: int) -> None:
    """Tell Stripe what one shop has said of who pays."""
    pushing.push(shop_id)


@doorbell("payers.check_vat")
def check_vat(shop_id: int) -> None:
    """Ask the register for one shop's VAT number."""
    checking.check_vat(shop_id)


@periodic("payers.sweep", every_seconds=60)
def sweep() -> None:
    """Ring for what could not be told or asked before."""
    pushing.ring_for_what_is_due()
