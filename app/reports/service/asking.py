"""Asking the carrier what became of messages, and writing it down like any delivery report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Row

from app.core.uow import unit_of_work
from app.integrations.mitto.client import MittoClient
from app.integrations.mitto.errors import MittoError
from app.integrations.mitto.types import MittoMessage
from app.messaging.provider import mitto
from app.messaging.service.reports import ReportRow, record_reports
from app.messaging.states import MessageState

log = structlog.get_logger(__name__)
AT_ONCE = 8
# Clients give up after ten seconds; what has not been asked by then may be asked again.
SECONDS = 5.0
# Merchants see why a message failed; the carrier's other words stay with us.
TELLING_WORDS = frozenset({"expired", "rejected"})

UNKNOWN_THERE = "The SMS provider does not know this message."
NO_ANSWER = "The SMS provider does not answer now."


@dataclass
class Answers:
    """What the carrier said, by its message id, and why it said nothing about the others."""

    known: dict[str, MittoMessage] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def ask(shop_id: int, messages: Sequence[Row[Any]]) -> Answers:
    """Ask about the shop's messages that are accepted and without a final state, and apply the answers.

    No transaction may be open: it waits for the carrier, five seconds and one call at most. Asking twice
    changes nothing: a final state is reached once.
    """
    wanted = [row.provider_message_id for row in messages if row.state == MessageState.SENT]
    answers = _asked(mitto(), list(dict.fromkeys(wanted))) if wanted else Answers()
    if answers.known:
        with unit_of_work(shop_id):
            record_reports([_report(id_, message) for id_, message in answers.known.items()])
    return answers


def _asked(client: MittoClient, ids: Sequence[str]) -> Answers:
    answers = Answers()
    deadline = time.monotonic() + SECONDS
    away: list[str] = []

    def fetch(id_: str) -> tuple[str, MittoMessage | None, str | None]:
        if away or time.monotonic() > deadline:
            return id_, None, NO_ANSWER
        try:
            found = client.fetch(id_)
        except MittoError as failed:
            away.append(failed.reason)  # the others would wait for nothing
            return id_, None, NO_ANSWER
        return id_, found, None if found else UNKNOWN_THERE

    with ThreadPoolExecutor(min(AT_ONCE, len(ids)), "lookup") as pool:
        for id_, found, failure in pool.map(fetch, ids):
            if found is not None:
                answers.known[id_] = found
            else:
                answers.failures[id_] = failure or UNKNOWN_THERE
    if away:
        log.warning("look_up_failed", provider="mitto", reason=away[0], asked=len(ids))
    return answers


def _report(id_: str, message: MittoMessage) -> ReportRow:
    word = message.delivery_status.lower()
    return ReportRow(id_, message.status, word if word in TELLING_WORDS else None)
