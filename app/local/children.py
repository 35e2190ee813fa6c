"""One long-running process of the local system: its own session, its own log, and a certain end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from app.local.environment import ROOT

POLL_SECONDS = 0.05
KILL_SECONDS = 10
DEADLY = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class Program:
    """What to run under a name, and how many copies of it."""

    name: str
    command: Sequence[str]
    copies: int = 1


class Child:
    """A started copy of a program. It leads a session, so that everything it forks can be found and ended."""

    def __init__(self, program: Program, env: Mapping[str, str], log: Path) -> None:
        self.program = program
        self.log = log
        self.is_wanted = True
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                program.command,
                cwd=ROOT,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def exit_code(self) -> int | None:
        return self._process.poll()

    def signal(self, number: int) -> None:
        """Signal the process and everything in its session. SIGKILL returns when all of it is gone."""
        if number in DEADLY:
            self.is_wanted = False
        _signal_all(session_pids(self.pid), number)
        if number == signal.SIGKILL:
            self._process.wait(KILL_SECONDS)
            end_sessions([self.pid], grace_seconds=0)

    def ask_to_end(self) -> None:
        """TERM to the leader alone: it ends its own children in its own order."""
        self.is_wanted = False
        if self.is_alive():
            self._process.terminate()

    def end(self, deadline: float) -> None:
        """Wait until `deadline` (monotonic) for a graceful end, then kill what is left of the session."""
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(KILL_SECONDS)
        end_sessions([self.pid], grace_seconds=0)


def session_pids(leader: int) -> list[int]:
    """Every living process of the session that `leader` started, also when `leader` itself has ended."""
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.Error):
            if os.getsid(pid) == leader and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
    return found


def end_sessions(leaders: Iterable[int], grace_seconds: float) -> None:
    """TERM, then KILL after the grace, everything in these sessions; returns when nothing is left."""
    leaders = list(leaders)
    if grace_seconds:
        _signal_all(_all_pids(leaders), signal.SIGTERM)
    kill_at = time.monotonic() + grace_seconds
    give_up_at = kill_at + KILL_SECONDS
    while (left := _all_pids(leaders)) and time.monotonic() < give_up_at:
        if time.monotonic() >= kill_at:
            _signal_all(left, signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def remember(children: Iterable[Child], path: Path) -> None:
    """Write down who is running, for the next start after a SIGKILL of ours."""
    entries = []
    for child in children:
        with contextlib.suppress(psutil.Error):
            entries.append({"session": child.pid, "command": psutil.Process(child.pid).cmdline()})
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(entries))
    draft.replace(path)


def end_leftovers(path: Path, grace_seconds: float = 5) -> None:
    """End the children that a killed supervisor left running.

    Process numbers are used again after a restart of the machine, so the command line has to be ours too.
    """
    if not path.exists():
        return
    ours = [
        entry["session"]
        for entry in json.loads(path.read_text())
        if any(_command_of(pid) == entry["command"] for pid in session_pids(entry["session"]))
    ]
    end_sessions(ours, grace_seconds)
    path.unlink()


def _command_of(pid: int) -> list[str]:
    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []


def _all_pids(leaders: Iterable[int]) -> list[int]:
    return [pid for leader in leaders for pid in session_pids(leader)]


def _signal_all(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
