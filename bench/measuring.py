"""Clocks and memory. What is compared is measured in turns, A B A B, so that noise meets both."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1024 * 1024
SAMPLE_SECONDS = 0.02


@dataclass(frozen=True)
class Pair:
    """The medians of two things measured in turns, in seconds, and how often each was measured."""

    first: float
    second: float
    n: int


def in_turns(first: Callable[[], float], second: Callable[[], float], n: int) -> Pair:
    """Measure `first`, `second`, `first`, `second`, …; each returns its own seconds."""
    taken = [(first(), second()) for _ in range(n)]
    return Pair(statistics.median(a for a, _ in taken), statistics.median(b for _, b in taken), n)


def seconds(work: Callable[[], object]) -> float:
    """How long `work` took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def resident_mb(pid: int) -> float:
    """The process's memory now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / MEGABYTE


@dataclass
class Peak:
    """The most that any of some processes grew, and the most that any had, in MB."""

    growth_mb: float = 0.0
    peak_mb: float = 0.0


@contextmanager
def peak_memory(pids: Sequence[int]) -> Iterator[Peak]:
    """Watch the processes' memory while the block runs."""
    before = {pid: resident_mb(pid) for pid in pids}
    seen = Peak(peak_mb=max(before.values(), default=0))
    done = threading.Event()

    def watch() -> None:
        while not done.wait(SAMPLE_SECONDS):
            for pid, at_first in before.items():
                now = resident_mb(pid)
                seen.growth_mb = max(seen.growth_mb, now - at_first)
                seen.peak_mb = max(seen.peak_mb, now)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def wait_until(is_true: Callable[[], bool], timeout_seconds: float, what: str) -> None:
    """Return when `is_true`; raise TimeoutError, naming `what`, when it takes too long."""
    deadline = time.monotonic() + timeout_seconds
    while not is_true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} took more than {timeout_seconds:.0f} s")
        time.sleep(0.005)
