"""Wake-ups for the senders, and the sweeps."""

from __future__ import annotations

from app.core.jobs import doorbell, periodic
from app.core.queue import wake
from app.messaging.service import sending, sweeping


@doorbell("messaging.send")
def send(shop_id: int, run_id: int) -> None:
    """Send a slice of a run, then go to the tail of the queue. Harmless if it runs twice, late, or never.

    Ringing at the start calls in another worker if one is free; the bell makes sure that at most one job
    waits.
    """
    if sending.has_work(shop_id, run_id):
        wake("messaging.send", shop_id, run_id)
        sending.send_slice(shop_id, run_id)


@periodic("messaging.sweep", every_seconds=5)
def sweep() -> None:
    """Put right what dead processes left, and ring for what waits."""
    sweeping.expire_claims()
    sweeping.wake_waiting_runs()


@periodic("messaging.settle_old", every_seconds=600)
def settle_old() -> None:
    """End what nobody will report any more."""
    sweeping.give_up_unknown()
    sweeping.release_stale_holds()
