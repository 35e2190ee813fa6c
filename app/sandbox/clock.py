"""A pretended service's own time. It can be moved: something can be old in a moment."""

import time


class Clock:
    """Seconds since 1970, moved by `offset_seconds`."""

    def __init__(self) -> None:
        self.offset_seconds = 0.0

    def now(self) -> int:
        """This second."""
        return int(self.precisely())

    def precisely(self) -> float:
        """This instant."""
        return time.time() + self.offset_seconds
