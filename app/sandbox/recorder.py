"""What the app has asked of a pretended service lately, for assertions: no token or secret is kept."""

import threading
from collections import deque
from typing import Any

KEPT = 5000


class Recorder:
    """The last calls, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def note(self, **call: Any) -> None:
        """Remember one call."""
        with self._lock:
            self._calls.append(call)

    def calls(self, **wanted: str | None) -> list[dict[str, Any]]:
        """Those whose members equal what is wanted; None wants nothing."""
        needed = {name: value for name, value in wanted.items() if value is not None}
        with self._lock:
            return [
                one for one in self._calls if all(one.get(name) == value for name, value in needed.items())
            ]

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._calls.clear()
