"""Working off delivery reports: apply, wait for what no message has yet, ask the carrier about the rest.

A report may come before we know its message's id: it overtook the answer to our call, or that answer was
lost. So a miss is tried again after a while, and after the third the carrier is asked what it sent under that
id; the link token in the text names the message.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy.engine import Row
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from app.core.errors import DomainError
from app.core.uow import across_shops
from app.integrations.mitto.client import MittoClient
from app.integrations.mitto.errors import MittoError, Refused
from app.messaging.provider import mitto
from app.messaging.service.reports import ReportRow, record_reports, resolve_orphan
from app.webhooks import queries
from app.webhooks.models import Topic

log = structlog.get_logger(__name__)
BATCH = 2000
# Of work, then the job rings again: less than the job's timeout, with room for one slow look-up.
SECONDS = 30.0
# Reports come in streams, one a post. A short pause lets them gather, because a job for every few of them
# costs more than their posts; but other events must not wait long for this worker.
PAUSE_SECONDS = 0.1
GATHERING_SECONDS = 1.0
LOOK_UPS = 50  # at a time: other events get their turn in between
MISSES_BEFORE_LOOK_UP = 3
# Merchants see why a message failed. The carrier's prose may quote a phone number, so it stays in the inbox.
TELLING_WORDS = frozenset({"expired", "rejected"})


@dataclass
class Round:
    """What one batch came to. `strangers`: inbox ids by the message id that the carrier shall explain."""

    size: int = 0
    strangers: dict[str, list[int]] = field(default_factory=dict)


def apply_reports() -> bool:
    """Apply the reports that are due. True when there may be more to do at once. Safe in several workers."""
    deadline, last_pause_at = time.monotonic() + SECONDS, time.monotonic() + GATHERING_SECONDS
    strangers: dict[str, list[int]] = {}
    most = BATCH
    while time.monotonic() < deadline:
        batch = _apply_or_isolate(most)
        if batch is None:
            most = max(1, most // 8)
            continue
        strangers |= batch.strangers
        if batch.size < most:
            if not batch.size or time.monotonic() > last_pause_at:
                return _explain(strangers, deadline)
            time.sleep(PAUSE_SECONDS)
            continue
        most = min(BATCH, most * 8)
    return True


def _apply_or_isolate(most: int) -> Round | None:
    """Apply a batch; None when one of its reports cannot be applied. One that cannot, alone, is put off."""
    claimed: list[int] = []
    try:
        return _apply_batch(most, claimed)
    except OperationalError:  # the database is away or two workers collided: no report is at fault
        raise
    except (SQLAlchemyError, DomainError) as refused:
        if isinstance(refused, DBAPIError) and refused.connection_invalidated:
            raise  # the database died in the middle of a statement: psycopg2 has no better word for it
        if not claimed:
            raise
        if len(claimed) > 1:
            return None
        log.error("delivery_report_refused", inbox_ids=claimed, error=type(refused).__name__)
        with across_shops("a delivery report names a message, not a shop"):
            queries.postpone(claimed, "refused")
        return Round(size=most)


def _apply_batch(most: int, claimed: list[int]) -> Round:
    with across_shops("a delivery report names a message, not a shop"):
        events = queries.claim(Topic.REPORT, most)
        claimed += [event.id for event in events]
        if not events:
            return Round()
        unmatched = record_reports([_row(event) for event in events])
        missed = [event for event in events if event.payload["messageId"] in unmatched]
        missed_ids = {event.id for event in missed}
        queries.finish([id_ for id_ in claimed if id_ not in missed_ids], "applied")
        queries.postpone(sorted(missed_ids), "orphan")
    return Round(len(events), _strangers(missed))


def _row(event: Row[Any]) -> ReportRow:
    report = event.payload
    word = report["statusRaw"].lower()
    return ReportRow(report["messageId"], report["status"], word if word in TELLING_WORDS else None)


def _strangers(missed: Sequence[Row[Any]]) -> dict[str, list[int]]:
    strangers: dict[str, list[int]] = {}
    for event in missed:
        misses = event.attempts + 1
        if event.outcome is None and MISSES_BEFORE_LOOK_UP <= misses < queries.MISSES_MAX:
            strangers.setdefault(event.payload["messageId"], []).append(event.id)
    return strangers


def _explain(strangers: dict[str, list[int]], deadline: float) -> bool:
    """Ask the carrier about messages we do not know; True when there is more to do at once.

    A dead worker may leave hundreds. Those whose turn does not come have lost no try: they are due at once,
    or, while the carrier is away, after a while.
    """
    if not strangers:
        return False
    client = mitto()
    resolved, is_away = False, False
    for message_id in list(strangers)[:LOOK_UPS]:
        if is_away or time.monotonic() > deadline:
            break
        inbox_ids = strangers.pop(message_id)
        try:
            resolved |= _look_up(client, message_id, inbox_ids)
        except MittoError as trouble:
            log.warning("look_up_failed", provider=queries.MITTO, reason=trouble.reason, inbox_ids=inbox_ids)
            is_away = not isinstance(trouble, Refused) or trouble.retry  # else it is this question's fault
    if strangers:
        with across_shops("reports whose messages nobody has been asked about"):
            queries.give_back_try([id_ for ids in strangers.values() for id_ in ids], at_once=not is_away)
    return resolved or (bool(strangers) and not is_away)


def _look_up(client: MittoClient, message_id: str, inbox_ids: list[int]) -> bool:
    known = client.fetch(message_id)  # no transaction is open while we wait for it
    with across_shops("the carrier's text names the message, the message its shop"):
        is_resolved = known is not None and resolve_orphan(message_id, known.text)
        queries.note_look_up(inbox_ids, is_resolved=is_resolved)
    return is_resolved
