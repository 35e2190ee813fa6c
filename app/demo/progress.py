"""A progress bar that moves on a terminal, and in a file is a few lines."""

from __future__ import annotations

import time

from app.demo.table import Screen

WIDTH = 32
STEP_PERCENT = 25  # without a terminal: one line for so much news


class ProgressBar:
    """Shows how many of `total` are done. Call `show` as often as there is news, `close` at the end."""

    def __init__(self, screen: Screen, label: str, total: int) -> None:
        self._screen = screen
        self._label = label
        self._total = max(total, 1)
        self._began = time.monotonic()
        self._step_shown = -1

    def show(self, done: int, remark: str = "") -> None:
        """Draw the bar for `done`; without a terminal only when the next quarter is reached."""
        percent = min(100, done * 100 // self._total)
        if self._screen.is_terminal:
            self._screen.out.write(f"\r\x1b[K{self._drawn(done, percent, remark)}")
            self._screen.out.flush()
        elif percent // STEP_PERCENT > self._step_shown:
            self._step_shown = percent // STEP_PERCENT
            print(self._drawn(done, percent, remark), file=self._screen.out, flush=True)

    def close(self) -> None:
        """Leave the bar as it is and go to the next line."""
        if self._screen.is_terminal:
            print(file=self._screen.out, flush=True)

    def _drawn(self, done: int, percent: int, remark: str) -> str:
        filled = percent * WIDTH // 100
        bar = "█" * filled + "░" * (WIDTH - filled)
        seconds = time.monotonic() - self._began
        figures = f"{done:>6,}/{self._total:,} {percent:>3} % {seconds:5.1f} s"
        return f"  {self._label:<8} {bar} {figures}  {remark}".rstrip()
