"""The whole system of `make run`, as real processes."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from app.local.children import session_pids
from app.local.environment import ROOT, local_environment, port_from
from app.local.errors import LocalServersUnavailable
from app.local.servers import SERVER_VARIABLES, remove
from app.local.supervisor import World

NO_WORKERS = {"worker-sending": 0, "worker-events": 0, "worker-imports": 0, "scheduler": 0}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One system for the tests of this module: starting it takes seconds."""
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        for name in SERVER_VARIABLES:
            patch.delenv(name, raising=False)
        with World(folder, web_port=0, sandbox_port=0, copies=NO_WORKERS) as world:
            yield world
    remove(folder)


def test_the_api_and_the_phone_inbox_answer_and_a_worker_can_be_started_and_killed(world: World):
    assert requests.get(f"{world.url}/healthz", timeout=10).status_code == 200
    assert requests.get(world.sandbox_url, timeout=10).status_code == 200
    assert world.pids("worker-events") == []

    started = world.start("worker-events")
    killed = world.kill("worker-events")

    assert started == killed and len(killed) == 1
    assert world.pids("worker-events") == []
    assert session_pids(killed[0]) == []


def test_a_stopped_web_process_comes_back_on_its_port(world: World):
    before = world.pids("web")

    world.stop("web")
    world.start("web")
    world.wait_ready()

    assert world.pids("web") != before
    assert requests.get(f"{world.url}/healthz", timeout=10).status_code == 200


def test_a_folder_has_one_system_at_a_time(world: World):
    with pytest.raises(LocalServersUnavailable, match="already up"):
        World(world.data_dir, web_port=0, sandbox_port=0).__enter__()


def test_nothing_is_left_when_the_system_ends(data_dir: Path, unset: dict[str, str]):
    with World(data_dir, web_port=0, sandbox_port=0, copies=NO_WORKERS) as world:
        leaders = [*world.pids("web"), *world.pids("sandbox")]

    assert len(leaders) == 2
    assert [pid for leader in leaders for pid in session_pids(leader)] == []


def test_a_taken_port_is_said_in_one_sentence(data_dir: Path, unset: dict[str, str]):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(
            LocalServersUnavailable, match=rf"^Port {port} cannot be used .*PORT={port + 1}\.$"
        ):
            World(data_dir, web_port=port, sandbox_port=0).__enter__()


def test_a_word_is_not_a_port(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PORT", "http")

    with pytest.raises(LocalServersUnavailable, match="PORT=http is not a port"):
        port_from("PORT", 8080)


def test_no_real_provider_can_be_reached_by_accident():
    env = local_environment(1, 2, {"MITTO_API_BASE": "https://carrier.example", "APP_ENV": "production"})

    assert env["MITTO_API_BASE"] == "http://127.0.0.1:2"
    assert env["APP_ENV"] == "development"


def test_exec_hands_over_the_servers_and_the_exit_code(data_dir: Path, unset: dict[str, str]):
    done = a_command(data_dir, "exec", "--", "sh", "-c", 'echo "$DATABASE_URL"; exit 7')

    assert done.returncode == 7
    assert done.stdout.startswith("postgresql://astronote_app@")
    assert done.stderr == ""


def test_exec_hands_on_a_request_to_end(data_dir: Path, unset: dict[str, str]):
    told = "trap 'echo ended; exit 3' TERM; echo ready; while :; do sleep 0.1; done"
    with subprocess.Popen(
        words(data_dir, "exec", "--", "sh", "-c", told), cwd=ROOT, stdout=subprocess.PIPE
    ) as run:
        assert run.stdout is not None and run.stdout.readline() == b"ready\n"

        run.send_signal(signal.SIGTERM)

        assert run.stdout.read() == b"ended\n"
    assert run.returncode == 3


def test_a_program_that_is_not_there_is_said_in_one_sentence(data_dir: Path, unset: dict[str, str]):
    done = a_command(data_dir, "exec", "--", "no-such-program")

    assert done.returncode == 2
    assert done.stderr == "no-such-program cannot be run: No such file or directory.\n"


def words(data_dir: Path, *command: str) -> list[str]:
    return [sys.executable, "-m", "app.local", "--data-dir", str(data_dir), *command]


def a_command(data_dir: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words(data_dir, *command), cwd=ROOT, check=False, capture_output=True, text=True)
