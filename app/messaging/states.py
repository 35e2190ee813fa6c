"""The states of a message, the steps between them, and what a run can belong to."""

from __future__ import annotations

from enum import StrEnum


class MessageState(StrEnum):
    """A message's life; `MOVES` lists the allowed steps."""

    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    SKIPPED = "skipped"


S = MessageState
MOVES: dict[MessageState, frozenset[MessageState]] = {
    S.PENDING: frozenset({S.CLAIMED, S.SKIPPED}),
    S.CLAIMED: frozenset({S.SENT, S.FAILED, S.PENDING, S.UNKNOWN}),
    S.UNKNOWN: frozenset({S.SENT, S.FAILED, S.NOT_SENT}),
    S.SENT: frozenset({S.DELIVERED, S.UNDELIVERED}),
    S.FAILED: frozenset({S.PENDING}),  # a merchant's retry; never after acceptance
    S.SKIPPED: frozenset({S.PENDING}),  # a cancelled campaign sent after all
    S.DELIVERED: frozenset(),
    S.UNDELIVERED: frozenset(),
    S.NOT_SENT: frozenset(),
}


class Source(StrEnum):
    """What a run belongs to."""

    CAMPAIGN = "campaign"
    AUTOMATION = "automation"
    TEST = "test"
    SERVICE = "service"  # one person asked for it: free of marketing


class RunKind(StrEnum):
    """Whether a run advertises: marketing keeps to the hours of the recipient's law."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"
