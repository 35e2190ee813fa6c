"""Ending in order: signals unwind the stack, commands get theirs, and an ending is not cut short."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from app.local.errors import LocalServersUnavailable

POLL_SECONDS = 0.1
ENDINGS = (signal.SIGTERM, signal.SIGHUP)


def signals_end_the_program() -> AbstractContextManager[None]:
    """SIGTERM and SIGHUP raise SystemExit, as Ctrl-C raises KeyboardInterrupt: contexts are left in order."""

    def end(number: int) -> None:
        raise SystemExit(128 + number)

    return _handling(ENDINGS, end)


def deaf_to_signals() -> AbstractContextManager[None]:
    """A second Ctrl-C does not cut the ending short; it is bounded by a grace anyway."""
    return _handling((signal.SIGINT, *ENDINGS), lambda _: None)


def run_to_its_end(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run `command` and return its exit code, 128 + n for a signal.

    Ctrl-C reaches the command by itself; SIGTERM and SIGHUP are handed on.
    """
    pending: list[int] = []
    with _handling((signal.SIGINT,), lambda _: None), _handling(ENDINGS, pending.append):
        try:
            child = subprocess.Popen(command, env=dict(env))
        except OSError as failed:
            raise LocalServersUnavailable(f"{command[0]} cannot be run: {failed.strerror}.") from failed
        while True:
            try:
                code = child.wait(POLL_SECONDS)
                return code if code >= 0 else 128 - code
            except subprocess.TimeoutExpired:
                while pending:
                    child.send_signal(pending.pop())


@contextmanager
def _handling(numbers: Sequence[int], handler: Callable[[int], None]) -> Iterator[None]:
    """Handle these signals so for the length of the context; other threads than the main one may not."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda n, _frame: handler(n)) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
