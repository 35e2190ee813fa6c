"""Trouble on demand: what goes wrong with the next API calls or webhooks, and for how many of them."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.sandbox.fault_list import BadTrouble, Troubles, strikes


class Trouble(StrEnum):
    """What can go wrong. `value` is the number each one needs, if any."""

    # API
    LATENCY_MS = "latency_ms"  # value: milliseconds, before anything is done
    HTTP_500 = "http_500"  # nothing was done
    HTTP_500_AFTER = "http_500_after"  # done, but answered with 500; the idempotency key remembers that 500
    DROP_AFTER_ACCEPT = "drop_after_accept"  # done, then the connection is cut; the key knows the true answer
    HTTP_429 = "http_429"
    HTTP_401 = "http_401"
    MALFORMED_JSON = "malformed_json"  # done, but half an answer
    # webhooks
    DUPLICATE = "duplicate"  # value: how many times more
    REORDER = "reorder"  # the next `value` deliveries leave in another order
    DELAY = "delay"  # value: seconds
    WRONG_SIGNATURE = "wrong_signature"
    OLD_TIMESTAMP = "old_timestamp"  # value: seconds of age
    TRUNCATED = "truncated"  # the body is cut after it was signed
    NOT_JSON = "not_json"  # signed well, but no JSON
    LOST = "lost"  # never leaves


API = {
    Trouble.LATENCY_MS,
    Trouble.HTTP_500,
    Trouble.HTTP_500_AFTER,
    Trouble.DROP_AFTER_ACCEPT,
    Trouble.HTTP_429,
    Trouble.HTTP_401,
    Trouble.MALFORMED_JSON,
}
WEBHOOKS = set(Trouble) - API
MEMBERS = {"kind", "count", "on", "value", "probability"}


@dataclass
class Fault:
    """One kind of trouble. `count` strikes are left; None means until cleared.

    `on` narrows it to an event type, or to a call such as `POST /v1/refunds`; `*` stands for anything.
    """

    id: int
    kind: Trouble
    count: int | None = 1
    on: str = "*"
    value: float = 1.0
    probability: float = 1.0

    @classmethod
    def read(cls, number: int, wish: dict[str, Any]) -> "Fault":
        """Make a fault from JSON. Raises BadTrouble naming what is wrong."""
        if unknown := set(wish) - MEMBERS:
            raise BadTrouble(f"unknown members: {', '.join(sorted(unknown))}")
        count = strikes(wish)
        try:
            rest = {name: float(wish[name]) for name in ("value", "probability") if name in wish}
            return cls(number, Trouble(str(wish.get("kind"))), count, str(wish.get("on") or "*"), **rest)
        except (TypeError, ValueError) as error:
            raise BadTrouble(str(error)) from error

    def concerns(self, kinds: set[Trouble], on: str) -> bool:
        """Whether it can strike here."""
        pattern = ".*".join(re.escape(piece) for piece in self.on.split("*"))
        return self.kind in kinds and re.fullmatch(pattern, on) is not None


class FaultList(Troubles[Fault]):
    """The faults now in force. Safe to use from several threads."""

    def __init__(self, seed: int) -> None:
        super().__init__(Fault.read, seed)

    def take(self, kinds: set[Trouble], on: str) -> dict[Trouble, Fault]:
        """The faults that strike here; each is used up by one. Of two of a kind the older goes first."""
        return self.take_where(lambda fault: fault.concerns(kinds, on))
