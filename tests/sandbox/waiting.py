"""Waiting for something to become true, instead of for time to pass."""

import threading
import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], *, within_seconds: float = 10.0) -> None:
    """Return when `condition` is true; fail when it has not become so in time."""
    deadline = time.monotonic() + within_seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not become true in time"
        pause.wait(0.01)
