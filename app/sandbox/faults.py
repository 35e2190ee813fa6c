"""Trouble on demand: what goes wrong with the next calls, and for how many of them."""

import itertools
import random
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """Ways in which a carrier's answer goes wrong. `value` is the number each one needs, if any."""

    LATENCY_MS = "latency_ms"  # value: milliseconds, before anything is accepted
    HTTP_429 = "http_429"  # retry_after: seconds, or no header
    HTTP_500_BEFORE_ACCEPT = "http_500_before_accept"
    HTTP_500_AFTER_ACCEPT = "http_500_after_accept"
    DROP_BEFORE_READ = "drop_before_read"
    DROP_AFTER_ACCEPT = "drop_after_accept"
    HANG_SECONDS = "hang_seconds"  # value: seconds, after everything is accepted
    TRUNCATE_MESSAGES = "truncate_messages"  # value: how many items the answer lacks
    REORDER_MESSAGES = "reorder_messages"
    REFUSE_ITEMS = "refuse_items"  # share: of the items, spread evenly
    MALFORMED_JSON = "malformed_json"


class Calls(StrEnum):
    """Which calls a fault concerns."""

    SEND = "send"
    LOOKUP = "lookup"


class BadFault(ValueError):
    """A fault was described wrongly."""


@dataclass
class Fault:
    """One kind of trouble. `count` calls are left; None means until cleared."""

    id: int
    kind: FaultKind
    count: int | None = 1
    on: Calls = Calls.SEND
    value: float = 1.0
    retry_after: int | None = None
    share: float = 0.5
    probability: float = 1.0

    @classmethod
    def read(cls, number: int, wish: dict[str, Any]) -> "Fault":
        """Make a fault from JSON. Raises BadFault naming what is wrong."""
        unknown = set(wish) - {"kind", "count", "on", "value", "retry_after", "share", "probability"}
        if unknown:
            raise BadFault(f"unknown members: {', '.join(sorted(unknown))}")
        count = wish.get("count", 1)
        if count is not None and (not isinstance(count, int) or count < 1):
            raise BadFault("count must be a positive whole number, or null for 'until cleared'")
        try:
            return cls(
                id=number,
                kind=FaultKind(str(wish.get("kind"))),
                count=count,
                on=Calls(wish.get("on", Calls.SEND)),
                value=float(wish.get("value", 1)),
                retry_after=None if wish.get("retry_after") is None else int(wish["retry_after"]),
                share=float(wish.get("share", 0.5)),
                probability=float(wish.get("probability", 1)),
            )
        except (TypeError, ValueError) as error:
            raise BadFault(str(error)) from error


class FaultList:
    """The faults now in force. Safe to use from several threads."""

    def __init__(self, seed: int) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1)
        self._random = random.Random(seed)

    def add(self, wish: dict[str, Any]) -> Fault:
        """Put a fault in force. Raises BadFault."""
        fault = Fault.read(next(self._numbers), wish)
        with self._lock:
            self._faults.append(fault)
        return fault

    def take(self, on: Calls) -> dict[FaultKind, Fault]:
        """The faults that strike this call; each is used up by one. Of two of a kind the older goes first."""
        struck: dict[FaultKind, Fault] = {}
        if not self._faults:
            return struck
        with self._lock:
            for fault in self._faults:
                if fault.on is not on or fault.kind in struck or self._random.random() >= fault.probability:
                    continue
                struck[fault.kind] = fault
                if fault.count is not None:
                    fault.count -= 1
            self._faults = [fault for fault in self._faults if fault.count is None or fault.count > 0]
        return struck

    def current(self) -> list[Fault]:
        """What is still in force."""
        with self._lock:
            return list(self._faults)

    def clear(self) -> None:
        """Let everything work again."""
        with self._lock:
            self._faults = []
