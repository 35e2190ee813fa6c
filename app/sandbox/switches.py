"""Settings of a pretended service that change while it runs."""

import threading
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    S = TypeVar("S", bound=DataclassInstance)
else:
    S = TypeVar("S")


class BadSwitch(ValueError):
    """Somebody asked for a setting that is none, or of the wrong kind."""


class SwitchBoard(Generic[S]):
    """The switches now in force: a frozen dataclass of words, numbers and yes-or-no."""

    def __init__(self, switches: S) -> None:
        self._lock = threading.Lock()
        self.now = switches
        self._first = switches

    def change(self, wish: dict[str, Any]) -> S:
        """Set some; the others stay. Raises BadSwitch."""
        kinds = {one.name: type(getattr(self._first, one.name)) for one in fields(self._first)}
        if unknown := set(wish) - set(kinds):
            raise BadSwitch(f"unknown switches: {', '.join(sorted(unknown))}")
        try:
            values = {name: kinds[name](value) for name, value in wish.items()}
        except (TypeError, ValueError) as error:
            raise BadSwitch(str(error)) from error
        with self._lock:
            self.now = replace(self.now, **values)
        return self.now

    def reset(self) -> None:
        """As at the start."""
        self.now = self._first
