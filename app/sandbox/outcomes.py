"""What becomes of a message, decided by its destination alone, so a run can be repeated exactly."""

from dataclasses import dataclass, replace
from enum import StrEnum
from zlib import crc32

from app.sandbox.config import SandboxConfig


class DeliveryStatus(StrEnum):
    """The carrier's own words."""

    SENT = "Sent"
    DELIVERED = "Delivered"
    FAILURE = "Failure"


UNKNOWN_SUBSCRIBER = "Unknown subscriber"
REFUSED_SUFFIX = "0004"  # answered without a messageId
LATE_FACTOR = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """One destination's fate."""

    status: DeliveryStatus
    after_seconds: float
    times: int = 1  # how often the report is posted
    early: bool = False  # reported before the send call is answered
    reply: str | None = None  # text that the phone sends back

    @property
    def description(self) -> str | None:
        """Why it failed."""
        return UNKNOWN_SUBSCRIBER if self.status is DeliveryStatus.FAILURE else None


SUFFIXES = {
    "0001": Outcome(DeliveryStatus.DELIVERED, 1.0),
    "0002": Outcome(DeliveryStatus.FAILURE, 1.0),
    "0003": Outcome(DeliveryStatus.SENT, 1.0),
    "0005": Outcome(DeliveryStatus.DELIVERED, 1.0, times=2),
    "0006": Outcome(DeliveryStatus.DELIVERED, 0.0, early=True),
    "0007": Outcome(DeliveryStatus.DELIVERED, 1.0, reply="STOP"),
}
QUICK_SUFFIXES = {
    suffix: replace(outcome, after_seconds=outcome.after_seconds / 10) for suffix, outcome in SUFFIXES.items()
}


def outcome_for(destination: str, config: SandboxConfig) -> Outcome:
    """The fate of one destination: by its last four digits if they mean something, else by a seeded draw."""
    special = (QUICK_SUFFIXES if config.quick else SUFFIXES).get(destination[-4:])
    if special:
        return special
    draw = crc32(f"{config.seed}:{destination}".encode())
    share, spread = (draw & 0xFFFF) / 0x10000, (draw >> 16) / 0x10000
    after = 0.05 + 0.25 * spread if config.quick else 0.5 + 3.5 * spread
    if share < config.failure_share:
        return Outcome(DeliveryStatus.FAILURE, after)
    if share < config.failure_share + config.late_share:
        return Outcome(DeliveryStatus.DELIVERED, after * LATE_FACTOR)
    return Outcome(DeliveryStatus.DELIVERED, after)
