"""Steering a run: pause, resume, cancel, retry; and what it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.core.queue import wake
from app.core.uow import after_commit, require_unit_of_work
from app.credits import service as credits
from app.messaging import queries
from app.messaging.models import Message, Run
from app.messaging.states import MessageState, Source

CANCELLED = "cancelled"
# The states of a message that the carrier certainly never took.
NEVER_LEFT = (MessageState.PENDING, MessageState.SKIPPED, MessageState.FAILED)


@dataclass(frozen=True)
class Counts:
    """A run's messages by state."""

    pending: int = 0
    claimed: int = 0
    unknown: int = 0
    sent: int = 0
    delivered: int = 0
    undelivered: int = 0
    failed: int = 0
    not_sent: int = 0
    skipped: int = 0
    clicked: int = 0
    opted_out: int = 0

    @property
    def recipients(self) -> int:
        return self.queued + self.accepted + self.failed + self.not_sent + self.skipped

    @property
    def queued(self) -> int:
        """Not yet answered for: waiting, in flight, or of unknown fate."""
        return self.pending + self.claimed + self.unknown

    @property
    def accepted(self) -> int:
        return self.sent + self.delivered + self.undelivered

    @property
    def is_drained(self) -> bool:
        return self.pending == 0 and self.claimed == 0


def counts_of(run: Run) -> Counts:
    """The counters of a run that was read."""
    return Counts(**{name: getattr(run, name) for name in Counts.__dataclass_fields__})


def counts_by_run(shop_id: int, run_ids: Sequence[int]) -> dict[int, Counts]:
    """The counters of some of the shop's runs, in one read. A step."""
    if not run_ids:
        return {}
    found = require_unit_of_work().scalars(
        select(Run)
        .where(Run.shop_id == shop_id, Run.id.in_(run_ids))
        .execution_options(populate_existing=True)
    )
    return {run.id: counts_of(run) for run in found}


def open_runs(shop_id: int, source: Source, source_id: int) -> Sequence[int]:
    """The source's runs that still take or send messages. A step."""
    found = select(Run.id).where(Run.shop_id == shop_id, Run.source == source, Run.source_id == source_id)
    return require_unit_of_work().scalars(found.where(Run.is_open).order_by(Run.id)).all()


def was_reached(
    phone: ColumnElement[str], shop_id: int, source: Source, source_id: int, *, from_run_no: int
) -> ColumnElement[bool]:
    """Whether a run of the source, from a run number on, has texted `phone` or may have."""
    return (
        exists()
        .where(Message.phone == phone, Message.run_id == Run.id, Message.state.not_in(NEVER_LEFT))
        .where(Run.shop_id == shop_id, Run.source == source, Run.source_id == source_id)
        .where(Run.run_no >= from_run_no)
    )


def has_pending(run_id: ColumnElement[int] | InstrumentedAttribute[int | None]) -> ColumnElement[bool]:
    """Whether the run has messages that nobody has claimed."""
    return exists().where(Run.id == run_id, Run.pending > 0)


def next_run_no(shop_id: int, source: Source, source_id: int) -> int:
    """The number of the source's next run. A step; the caller has locked the source."""
    newest = select(func.coalesce(func.max(Run.run_no), 0)).where(
        Run.shop_id == shop_id, Run.source == source, Run.source_id == source_id
    )
    return require_unit_of_work().scalars(newest).one() + 1


def pending_ids(shop_id: int, run_id: int, *, limit: int) -> Sequence[int]:
    """The first messages of a run that wait to be claimed. A step."""
    waiting = (
        select(Message.id)
        .where(Message.run_id == run_id, Message.shop_id == shop_id, Message.state == MessageState.PENDING)
        .order_by(Message.id)
        .limit(limit)
    )
    return require_unit_of_work().scalars(waiting).all()


def ring(shop_id: int, run_id: int, *, urgent: bool = False) -> None:
    """Ring for the senders once the caller's unit of work has committed. A step."""
    after_commit(lambda: wake("messaging.send", shop_id, run_id, at_front=urgent))


def pause(shop_id: int, run_id: int) -> None:
    """Claim nothing more; what is claimed still goes out, at most one batch a worker. A step."""
    require_unit_of_work().execute(queries.SET_OPEN, {"shop_id": shop_id, "run_id": run_id, "is_open": False})


def resume(shop_id: int, run_id: int) -> None:
    """Go on claiming. A step."""
    require_unit_of_work().execute(queries.SET_OPEN, {"shop_id": shop_id, "run_id": run_id, "is_open": True})
    ring(shop_id, run_id)


def stop_all(shop_id: int) -> None:
    """Claim nothing more of any of the shop's runs, as if each was paused. A step."""
    require_unit_of_work().execute(queries.STOP_ALL, {"shop_id": shop_id})


def cancel(shop_id: int, run_id: int) -> int:
    """Skip every pending message and give back its credits; returns how many. A step."""
    moved = _move(queries.SKIP_PENDING, shop_id, run_id, failure=CANCELLED)
    credits.release(shop_id, run_id, moved.parts, key=f"run:{run_id}:cancel:{_turn()}")
    return int(moved.messages)


def reopen(shop_id: int, run_id: int, state: MessageState) -> int:
    """Make failed messages (never accepted ones), or skipped-by-cancelling ones, pending again; returns
    how many.

    A step. Holds their credits anew: raises InsufficientCredits.
    """
    failure = CANCELLED if state == MessageState.SKIPPED else None
    moved = _move(queries.REOPEN, shop_id, run_id, state=state, failure=failure)
    credits.hold(shop_id, run_id, moved.parts, key=f"run:{run_id}:reopen:{_turn()}")
    if moved.messages:
        ring(shop_id, run_id)
    return int(moved.messages)


def _move(statement: Any, shop_id: int, run_id: int, **values: Any) -> Row[Any]:
    return require_unit_of_work().execute(statement, {"shop_id": shop_id, "run_id": run_id, **values}).one()


def _turn() -> int:
    """A number that no other cancelling or reopening of the run has: the id of this transaction."""
    return int(require_unit_of_work().scalar(queries.TRANSACTION_ID) or 0)


def failed_messages(shop_id: int, run_id: int, *, page: int, page_size: int) -> Sequence[Row[Any]]:
    """The run's failed messages, newest first. A step."""
    values = {"shop_id": shop_id, "run_id": run_id, "limit": page_size, "offset": (page - 1) * page_size}
    return require_unit_of_work().execute(queries.FAILED_MESSAGES, values).all()
