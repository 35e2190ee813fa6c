"""Claim, call, settle: the way of a message out of the house.

A slice of work keeps a few provider calls in flight. All database work is done by the calling thread; helper
threads write the texts and wait for the provider, so no transaction and no pooled connection is held while
somebody else's server thinks. A process may die on any line: before the claim commits nothing has happened,
after it the sweep calls the rows unknown.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from app.core.clock import now
from app.core.metrics import count
from app.core.queue import wake
from app.core.settings import settings
from app.core.uow import after_commit, unit_of_work
from app.credits import service as credits
from app.integrations.mitto.types import Accepted, OutboundSms, Rejected, Unclear
from app.messaging import queries
from app.messaging.models import Run
from app.messaging.provider import CIRCUIT, CallResult, Deferred, Outcome, caller, may_call_now
from app.messaging.states import MessageState, Source
from app.messaging.wording import Renderer

log = structlog.get_logger(__name__)

SLICE_SECONDS = 5.0  # then to the tail of the queue: other shops get their turn
TRIES_MAX = 50
SETTLE_RETRIES = 5
# Who is told when a run has nothing pending or claimed any more.
DRAINED_TOPIC = {Source.CAMPAIGN: "campaigns.finish"}


@dataclass(frozen=True)
class Batch:
    """Messages claimed under one attempt."""

    attempt_id: int
    messages: Sequence[Row[Any]]


def send_slice(shop_id: int, run_id: int) -> bool:
    """Send a run's messages for a few seconds; True when more may be waiting.

    Any number of workers may do this for the same run at once.
    """
    run, renderer = _open_run(shop_id, run_id)
    if run is None or renderer is None:
        return False
    deadline = time.monotonic() + SLICE_SECONDS
    in_flight: deque[tuple[Batch, Future[CallResult]]] = deque()
    more = True
    deliver = _deliverer(run, renderer)
    with ThreadPoolExecutor(settings().sms_batches_in_flight, "provider") as pool, ExitStack() as leaving:
        # Whatever ends the slice (a claim that meets a restarting database, say): an answer that the carrier
        # gives us is not thrown away.
        leaving.callback(_settle_all, shop_id, run_id, in_flight)
        while more or in_flight:
            room = len(in_flight) < settings().sms_batches_in_flight
            if more and room and time.monotonic() < deadline and may_call_now(shop_id):
                batch = claim(shop_id, run_id)
                more = batch is not None
                if batch and batch.messages:
                    in_flight.append((batch, pool.submit(deliver, batch)))
            elif in_flight:
                batch, answer = in_flight.popleft()
                settle(shop_id, run_id, batch, answer.result())
            else:
                break
    return more


def _settle_all(shop_id: int, run_id: int, in_flight: deque[tuple[Batch, Future[CallResult]]]) -> None:
    """Settle every batch; one that cannot be settled does not keep the others from it."""
    with ExitStack() as each:
        for batch, answer in in_flight:
            each.callback(
                lambda batch, answer: settle(shop_id, run_id, batch, answer.result()), batch, answer
            )


def claim(shop_id: int, run_id: int) -> Batch | None:
    """Claim the next messages of a run; None when none can be claimed now.

    Messages of people who opted out are skipped and released here, and those that the hours of their place
    forbid are put off; a batch may therefore come back empty.
    """
    size = min(settings().sms_batch_size, settings().mitto_bulk_max)
    values: dict[str, Any] = {"shop_id": shop_id, "run_id": run_id, "size": size}
    values["at"] = now() if settings().quiet_hours else None
    with unit_of_work(shop_id) as session:
        moved = session.execute(queries.CLAIM, values).all()
        if not moved:
            return None
        judged = [row for row in moved if row.state != MessageState.PENDING]
        claimed = [row for row in judged if row.state == MessageState.CLAIMED]
        attempt_id = judged[0].attempt_id if judged else 0
        skipped = sum(row.parts for row in judged if row.state == MessageState.SKIPPED)
        credits.release(shop_id, run_id, skipped, key=f"attempt:{attempt_id}:skip")
        if judged and not claimed:
            session.execute(queries.CLOSE_EMPTY_ATTEMPT, {"attempt_id": attempt_id})
            tell_when_drained(session.get_one(Run, run_id))
    return Batch(attempt_id, claimed)


def settle(shop_id: int, run_id: int, batch: Batch, result: CallResult) -> None:
    """Record what became of a batch, and its money, in one transaction. Repeating it moves nothing.

    The answer is in memory only: a database that is briefly away is asked again, and at last the ids are
    logged, for the runbook; the rows then end as unknown and are found again by their reports. An answer with
    an id that another message has already says nothing about this batch.
    """
    if any(isinstance(outcome, Unclear | Deferred) for outcome in result.outcomes):
        CIRCUIT.note_failure()
    count("sms_calls_total", result.word)
    for outcome, messages in Counter(type(one).__name__.lower() for one in result.outcomes).items():
        count("sms_messages_total", outcome, by=messages)
    for attempt in range(SETTLE_RETRIES):
        try:
            _settle_once(shop_id, run_id, batch, result)
            return
        except IntegrityError:
            log.error("answer_with_known_ids", attempt_id=batch.attempt_id)
            result = CallResult([Unclear()] * len(batch.messages), "known_ids")
        except DBAPIError as away:
            # A server that dies in the middle of a statement is a plain DatabaseError to psycopg2.
            if not (isinstance(away, OperationalError) or away.connection_invalidated):
                raise
            log.warning("settle_retried", attempt_id=batch.attempt_id, error=type(away).__name__)
            time.sleep(min(0.2 * 2**attempt, 3))
    log.error("settle_failed", attempt_id=batch.attempt_id, message_ids=[row.id for row in batch.messages])


def _settle_once(shop_id: int, run_id: int, batch: Batch, result: CallResult) -> None:
    rows = [_as_row(outcome) for outcome in result.outcomes]
    with unit_of_work(shop_id) as session:
        tally = session.execute(
            queries.SETTLE,
            {
                "attempt_id": batch.attempt_id,
                "run_id": run_id,
                "outcome": result.word,
                "batch_id": result.bulk_id,
                "tries_max": TRIES_MAX,
                "ids": [message.id for message in batch.messages],
                "states": [row[0] for row in rows],
                "provider_ids": [row[1] for row in rows],
                "failures": [row[2] for row in rows],
                "waits": [row[3] for row in rows],
            },
        ).one()
        credits.capture(shop_id, run_id, tally.sent_parts, key=f"attempt:{batch.attempt_id}:capture")
        credits.release(shop_id, run_id, tally.failed_parts, key=f"attempt:{batch.attempt_id}:release")
        if not tally.pending_left and not tally.claimed_left:
            tell_when_drained(session.get_one(Run, run_id))


def _as_row(outcome: Outcome) -> tuple[str, str | None, str | None, float]:
    """(state, provider id, failure, seconds to wait) of one outcome."""
    match outcome:
        case Accepted(message_id):
            return MessageState.SENT, message_id, None, 0.0
        case Rejected(reason):
            return MessageState.FAILED, None, reason, 0.0
        case Deferred(reason, wait_seconds):
            return MessageState.PENDING, None, reason, wait_seconds
        case Unclear():
            return MessageState.UNKNOWN, None, "no_clear_answer", 0.0


def _open_run(shop_id: int, run_id: int) -> tuple[Run | None, Renderer | None]:
    with unit_of_work(shop_id) as session:
        run = session.get(Run, run_id)
    if run is None or not run.is_open:
        return None, None
    return run, Renderer(run.text, len(run.links), settings().link_secrets[0])


def _deliverer(run: Run, renderer: Renderer) -> Callable[[Batch], CallResult]:
    """What a helper thread does with a batch, while the caller is with the database: write its texts, send
    them.
    """
    call = caller(run.shop_id)

    def deliver(batch: Batch) -> CallResult:
        return call(
            [
                OutboundSms(row.phone, renderer.render(row.id, values_of(row)), run.sender)
                for row in batch.messages
            ]
        )

    return deliver


def values_of(row: Row[Any]) -> dict[str, str | None]:
    """A message's merge values, as they were when it was frozen."""
    return {"firstName": row.first_name, "lastName": row.last_name, "phone": row.phone, **(row.merge or {})}


def tell_when_drained(run: Run) -> None:
    """Ring for whoever owns a run of which nothing is pending or claimed any more. A step."""
    topic = DRAINED_TOPIC.get(Source(run.source))
    if topic and not run.pending and not run.claimed:
        after_commit(lambda: wake(topic, run.shop_id, run.source_id))


def has_work(shop_id: int, run_id: int) -> bool:
    """Whether a run has a message that could be claimed now."""
    with unit_of_work(shop_id) as session:
        return bool(session.scalar(queries.HAS_WORK, {"shop_id": shop_id, "run_id": run_id}))
