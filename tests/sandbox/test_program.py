"""`python -m app.sandbox`, as a process of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from tests.sandbox.conftest import KEY, Carrier
from tests.sandbox.waiting import eventually

PROGRAM = [sys.executable, "-m", "app.sandbox"]


def answers(carrier: Carrier) -> bool:
    try:
        return carrier.call("GET", "/").ok
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def process_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carrier]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    flags = [
        "--port",
        str(port),
        "--store",
        str(tmp_path_factory.mktemp("store") / "folder" / "carrier.db"),
        "--quick",
    ]
    process = subprocess.Popen(
        [*PROGRAM, *flags], env={**os.environ, "SANDBOX_API_KEY": KEY}, stdout=subprocess.DEVNULL
    )
    with requests.Session() as session:
        session.headers["X-Mitto-API-Key"] = KEY
        carrier = Carrier(f"http://127.0.0.1:{port}", session)
        try:
            eventually(lambda: answers(carrier), within_seconds=30)
            yield carrier
        finally:
            session.close()
            process.terminate()
            assert process.wait(timeout=20) == 0


@pytest.fixture
def program(process_of_its_own: Carrier) -> Carrier:
    assert process_of_its_own.call("POST", "/_sandbox/reset").status_code == 204
    return process_of_its_own


def test_the_program_accepts_and_settles_messages(program: Carrier) -> None:
    message_id = program.send("+306900000001")

    eventually(lambda: program.status(message_id) == "Delivered")


@pytest.mark.parametrize(("kind", "accepted"), [("drop_before_read", 0), ("drop_after_accept", 1)])
def test_the_program_can_drop_a_connection_and_lives_on(program: Carrier, kind: str, accepted: int) -> None:
    program.fault(kind)

    with pytest.raises(requests.ConnectionError):
        program.bulk("+306900001111")

    assert program.stats()["accepted"] == accepted


def test_the_program_refuses_to_run_in_production() -> None:
    done = subprocess.run(
        PROGRAM, env={**os.environ, "APP_ENV": "production"}, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "The sandbox is a pretend carrier: it does not start when APP_ENV=production.\n"
