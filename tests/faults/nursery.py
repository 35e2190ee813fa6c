"""`python -m tests.faults.nursery`: forks workers on demand, the app made beforehand.

A worker needs two seconds of computing before it can work. Hundreds of them are killed here, so they are
forked from one process that has done it once: an order per line in, a process id per line out. When its input
ends, it ends what it has forked.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from flask import Flask

from app import create_app
from app.local.environment import ROOT
from tests.faults.crashing_worker import Order, become


class Nursery:
    """The running nursery, as the fault runner sees it. Leaving the context ends every fork."""

    def __init__(self, env: Mapping[str, str], log: Path) -> None:
        self._env = dict(env)
        self._log = log

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.nursery"],
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                bufsize=1,
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def fork(self, order: Order) -> int:
        """Start the ordered process; its id."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(order.to_json() + "\n")
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the nursery has died: see {self._log}")
        return int(answer)


def main() -> None:
    # The kernel collects the dead, so a process id that cannot be signalled is a process that is gone.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    app = create_app()
    forked: list[int] = []
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _live(Order.from_json(line), app)
        forked.append(pid)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    for pid in forked:
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(pid) == os.getpid():  # still ours, not a stranger's that got the number
                os.kill(pid, signal.SIGKILL)


def _live(order: Order, app: Flask) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code = 1
    try:
        with Path(os.devnull).open() as nothing:
            os.dup2(nothing.fileno(), 0)
        become(order, app)
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
