"""What goes to the carrier and what comes back, free of its spelling."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DeliveryStatus(StrEnum):
    """What became of an accepted message, as far as the carrier says. UNKNOWN is a word we have not met."""

    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @classmethod
    def read(cls, word: str) -> DeliveryStatus:
        """The meaning of the carrier's `word`, in any case."""
        return MEANINGS.get(word.strip().lower(), cls.UNKNOWN)


MEANINGS = {
    word: meaning
    for meaning, words in {
        DeliveryStatus.SENT: "sent queued accepted submitted enroute",
        DeliveryStatus.DELIVERED: "delivered delivrd completed ok",
        DeliveryStatus.FAILED: "failure failed undelivered expired rejected error",
    }.items()
    for word in words.split()
}


@dataclass(frozen=True, slots=True)
class OutboundSms:
    """One text to one phone. `destination` is E.164 with its plus."""

    destination: str
    text: str
    sender: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The carrier took the message and will report on `message_id`."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The carrier certainly did not take the message. `reason` is a word of ours, at most 80 characters."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Neither an id nor an error: the message may have been taken."""


@dataclass(frozen=True, slots=True)
class BulkAnswer:
    """The carrier's answer to a bulk call; `results[i]` belongs to the i-th message of the call."""

    bulk_id: str | None
    results: tuple[Accepted | Rejected | Unclear, ...]


@dataclass(frozen=True, slots=True)
class MittoMessage:
    """One message as the carrier remembers it.

    `delivery_status` is the carrier's own word. `description` is the carrier's prose: it may quote a phone
    number, so it is neither logged nor shown. `participants` is empty when the carrier does not name them.
    """

    message_id: str
    text: str
    participants: tuple[str, ...]
    delivery_status: str
    status: DeliveryStatus
    parts: int
    description: str | None
    updated_at: datetime | None
