"""Trouble on demand, whatever its kinds: which is in force, and for how many strikes."""

import itertools
import random
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    class _Fault(DataclassInstance, Protocol):
        count: int | None  # strikes left; None means until cleared
        probability: float

        @property
        def kind(self) -> Any: ...

    F = TypeVar("F", bound=_Fault)
else:
    F = TypeVar("F")


class BadTrouble(ValueError):
    """A fault was described wrongly."""


def strikes(wish: dict[str, Any]) -> int | None:
    """`count` of a wish. Raises BadTrouble."""
    count = wish.get("count", 1)
    if count is not None and (not isinstance(count, int) or count < 1):
        raise BadTrouble("count must be a positive whole number, or null for 'until cleared'")
    return count


class Troubles(Generic[F]):
    """The faults now in force. Safe to use from several threads."""

    def __init__(self, read: Callable[[int, dict[str, Any]], F], seed: int) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._faults: list[F] = []
        self._numbers = itertools.count(1)
        self._random = random.Random(seed)

    def add(self, wish: dict[str, Any]) -> F:
        """Put a fault in force. Raises BadTrouble."""
        fault = self._read(next(self._numbers), wish)
        with self._lock:
            self._faults.append(fault)
        return fault

    def take_where(self, concerns: Callable[[F], bool]) -> dict[Any, F]:
        """Those that strike, by kind; each is used up by one. Of two of a kind the older goes first."""
        struck: dict[Any, F] = {}
        if not self._faults:
            return struck
        with self._lock:
            for fault in self._faults:
                is_meant = concerns(fault) and fault.kind not in struck
                if not is_meant or self._random.random() >= fault.probability:
                    continue
                struck[fault.kind] = fault
                if fault.count is not None:
                    fault.count -= 1
            self._faults = [fault for fault in self._faults if fault.count is None or fault.count > 0]
        return struck

    def current(self) -> list[dict[str, Any]]:
        """What is still in force."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def clear(self) -> None:
        """Let everything work again."""
        with self._lock:
            self._faults = []
