"""What puts right what a dead process left behind.

Every sweep is idempotent and may run beside any worker.
"""

from __future__ import annotations

import structlog

from app.core.queue import wake
from app.core.settings import settings
from app.core.uow import across_shops
from app.credits import service as credits
from app.messaging import queries

log = structlog.get_logger(__name__)
CHUNK = 5_000


def expire_claims() -> int:
    """Claims whose worker has died become unknown, and their attempts close. Returns the messages moved."""
    values = {"lease_seconds": settings().claim_lease_seconds, "limit": CHUNK}
    moved_in_all = 0
    while True:
        with across_shops("dead claims belong to any shop") as session:
            moved = session.scalar(queries.EXPIRE_CLAIMS, values) or 0
            session.execute(queries.CLOSE_DEAD_ATTEMPTS, values)
        moved_in_all += moved
        if moved < CHUNK:
            break
    if moved_in_all:
        log.warning("claims_expired", messages=moved_in_all)
    return moved_in_all


def give_up_unknown() -> int:
    """Unknown messages that no report has named within the deadline were not sent: their credits go back."""
    values = {"hours": settings().unknown_deadline_hours, "limit": CHUNK}
    given_up = 0
    while True:
        with across_shops("silent messages belong to any shop") as session:
            groups = session.execute(queries.GIVE_UP_UNKNOWN, values).all()
            for group in groups:
                key = f"run:{group.run_id}:silent:{group.first_id}-{group.last_id}"
                credits.release(group.shop_id, group.run_id, group.parts, key=key)
        if not groups:
            return given_up
        given_up += len(groups)


def wake_waiting_runs() -> None:
    """Ring for every open run that has messages to send now: whatever doorbell was lost, this one is not."""
    with across_shops("waiting runs belong to any shop") as session:
        runs = session.execute(queries.WAITING_RUNS, {"limit": 500}).all()
    for shop_id, run_id in runs:
        wake("messaging.send", shop_id, run_id)


def release_stale_holds() -> None:
    """Give back what an expired hold still reserves, unless its run has messages that may yet be charged."""
    with across_shops("stale holds belong to any shop") as session:
        for stale in credits.stale_holds():
            of_run = {"shop_id": stale.shop_id, "run_id": stale.run_id}
            if session.scalar(queries.HAS_LIVE_MESSAGES, of_run):
                credits.extend_hold(stale.shop_id, stale.run_id)
            else:
                key = f"run:{stale.run_id}:stale:{stale.left_credits}"
                credits.release(stale.shop_id, stale.run_id, stale.left_credits, key=key)
                log.error("stale_hold_released", run_id=stale.run_id, credits=stale.left_credits)
