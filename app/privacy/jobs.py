"""Doorbells of people's rights. Harmless twice, late or never: the requests wait as rows."""

from __future__ import annotations

from app.core.jobs import doorbell, periodic
from app.core.queue import wake
from app.privacy.service import carrying_out


@doorbell("privacy.carry_out")
def carry_out(shop_id: int) -> None:
    """Erase what was asked for; the rest of it in the next job."""
    if carrying_out.carry_out(shop_id):
        wake("privacy.carry_out", shop_id)


@periodic("privacy.sweep", every_seconds=300)
def sweep() -> None:
    """Ring for requests that wait: lost bells, and texts that were on their way."""
    for shop_id in carrying_out.waiting_shops():
        wake("privacy.carry_out", shop_id)
