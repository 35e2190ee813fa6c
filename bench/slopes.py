"""Does a message cost more in a large campaign than in a small one? Shown, not judged: no bound is set."""

from __future__ import annotations

from collections.abc import Sequence

from bench.results import Result, Results

BY_TIME = {
    "slope.enqueue": "enqueue.inline",
    "slope.enqueue_bare": "enqueue.inline",
    "slope.preview": "preview.exact",
}
BY_RATE = {"slope.send": "send.two_workers", "slope.reports": "reports.array_500"}
MICRO = 1_000_000


def add_slopes(results: Results, sizes: Sequence[int]) -> None:
    """Microseconds a message at the largest size beside the smallest, and how the senders' memory grew."""
    small, large = min(sizes), max(sizes)
    if small == large:
        return
    for name, of in BY_TIME.items():
        first, last = results.find(of, small), results.find(of, large)
        if first and last:
            is_bare = name.endswith("_bare")
            costs = [((r.limit or 0) if is_bare else r.value) / r.size * MICRO for r in (last, first)]
            results.add(Result(name, large, costs[0], "µs/message", costs[1]))
    for name, of in BY_RATE.items():
        first, last = results.find(of, small), results.find(of, large)
        if first and last:
            results.add(Result(name, large, MICRO / last.value, "µs/message", MICRO / first.value))
    first, last = results.find("memory.sender_peak", small), results.find("memory.sender_peak", large)
    if first and last:
        results.add(Result("memory.sender_growth", large, last.value - first.value, "MB"))
