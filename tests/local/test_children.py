"""A child process and everything that it forks end when they should, and not before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.local.children import Child, Program, end_leftovers, remember, session_pids

# Forks a child into another process group, as a queue worker does, and says "ready".
PARENT = """
import os, signal, sys, time
if "deaf" in sys.argv: signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0: os.setpgrp()
else: print("ready", flush=True)
time.sleep(100)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "child.log"


def a_child(log: Path, *words: str) -> Child:
    child = Child(Program("sleeper", (sys.executable, "-c", PARENT, *words)), os.environ, log)
    deadline = time.monotonic() + 20
    while "ready" not in log.read_text():
        assert child.is_alive() and time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    return child


def test_a_killed_child_takes_what_it_forked_with_it(log: Path):
    child = a_child(log)
    family = session_pids(child.pid)

    child.signal(signal.SIGKILL)

    assert len(family) == 2
    assert session_pids(child.pid) == []
    assert child.exit_code() == -signal.SIGKILL


def test_a_child_that_ends_by_itself_leaves_nothing_behind(log: Path):
    child = a_child(log)

    child.ask_to_end()
    child.end(time.monotonic() + 10)

    assert child.exit_code() == -signal.SIGTERM
    assert session_pids(child.pid) == []


def test_a_child_that_does_not_listen_is_killed_after_the_grace(log: Path):
    child = a_child(log, "deaf")

    child.ask_to_end()
    child.end(time.monotonic() + 0.2)

    assert child.exit_code() == -signal.SIGKILL
    assert session_pids(child.pid) == []


def test_a_stopped_child_is_still_wanted(log: Path):
    child = a_child(log)

    child.signal(signal.SIGSTOP)
    child.signal(signal.SIGCONT)

    assert child.is_wanted and child.is_alive()
    child.signal(signal.SIGKILL)


def test_children_of_a_killed_supervisor_are_ended_by_the_next(log: Path, tmp_path: Path):
    child = a_child(log)
    remember([child], tmp_path / "children.json")

    end_leftovers(tmp_path / "children.json")

    assert child.exit_code() == -signal.SIGTERM
    assert session_pids(child.pid) == []
    assert not (tmp_path / "children.json").exists()


def test_what_a_dead_child_forked_is_ended_too(log: Path, tmp_path: Path):
    child = a_child(log)
    forked = [pid for pid in session_pids(child.pid) if pid != child.pid]
    remember([child], tmp_path / "children.json")
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert child.exit_code() == -signal.SIGKILL

    end_leftovers(tmp_path / "children.json")

    assert forked and session_pids(child.pid) == []


def test_another_program_with_a_reused_number_is_left_alone(tmp_path: Path):
    with subprocess.Popen(["/bin/sleep", "100"], start_new_session=True) as stranger:
        entry = {"session": stranger.pid, "command": [sys.executable, "worker.py", "sending"]}
        (tmp_path / "children.json").write_text(json.dumps([entry]))

        end_leftovers(tmp_path / "children.json")

        assert stranger.poll() is None
        stranger.kill()
