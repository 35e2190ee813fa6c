"""Waiting for what somebody else does: by a condition, with a deadline and a sentence."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from app.demo.errors import DemoStopped

POLL_SECONDS = 0.3  # 200 questions a minute: below every rate limit of the API
Answer = TypeVar("Answer")


def wait_for(
    ask: Callable[[], Answer],
    is_enough: Callable[[Answer], bool],
    *,
    seconds: float,
    otherwise: str,
    poll_seconds: float = POLL_SECONDS,
) -> Answer:
    """Ask until the answer is enough, and return it. Raises DemoStopped with `otherwise` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not is_enough(answer := ask()):
        if time.monotonic() > deadline:
            raise DemoStopped(f"{otherwise} (waited {seconds:.0f} s)")
        time.sleep(poll_seconds)
    return answer
