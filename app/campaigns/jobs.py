"""Wake-ups for campaigns."""

from __future__ import annotations

from app.campaigns.service import quoting_binding, sending, states, sweeping
from app.core.jobs import doorbell, periodic


@doorbell("campaigns.freeze")
def freeze(shop_id: int, campaign_id: int) -> None:
    """Freeze a large audience. Idempotent."""
    sending.freeze_large(shop_id, campaign_id)


@doorbell("campaigns.finish")
def finish(shop_id: int, campaign_id: int) -> None:
    """Close a campaign that has nothing left to send. Idempotent."""
    states.finish(shop_id, campaign_id)


@periodic("campaigns.start_due", every_seconds=10)
def start_due() -> None:
    """Start what is due."""
    sweeping.start_due()


@periodic("campaigns.sweep", every_seconds=10)
def sweep() -> None:
    """Ring again for whatever lost its doorbell, and clear up after cancelled campaigns and old quotes."""
    sweeping.wake_unfrozen_and_drained()
    sweeping.skip_stragglers()
    quoting_binding.forget_unused()
