"""Every way in which a connection can end, on real sockets: never made, broken, kept."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from rq.timeouts import JobTimeoutException

from app.integrations.mitto.errors import Ambiguous, Unavailable
from app.integrations.mitto.types import (
    Accepted,
    OutboundSms,
)
from tests.integrations.mitto.calls import (
    MARIA,
    MESSAGE_ID,
    MakeClient,
    accept_all,
    answer_of,
    read_and_close,
)
from tests.integrations.mitto.carriers import (
    WAIT_SECONDS,
    carrier,
    carrier_saying,
    raw_carrier,
    read_request,
    reset,
    untrusted_tls,
    wait_for_hang_up,
)


def test_a_name_that_does_not_resolve_is_certainly_not_sent(connect: MakeClient) -> None:
    with pytest.raises(Unavailable) as later:
        connect("http://carrier.invalid").send_bulk([MARIA])

    assert later.value.reason == "dns"


def test_a_refused_connection_is_certainly_not_sent(connect: MakeClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(Unavailable) as later:
        connect(f"http://127.0.0.1:{port}").send_bulk([MARIA])

    assert (later.value.reason, later.value.retry_after_seconds) == ("connect_failed", None)


def test_a_connection_that_is_not_answered_is_certainly_not_sent(connect: MakeClient) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, ExitStack() as waiting:
        for _ in range(3):  # nobody accepts, so the line is full and the next caller gets no answer
            caller = waiting.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(deaf.getsockname())

        with pytest.raises(Unavailable) as later:
            connect(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout_seconds=0.3).send_bulk([MARIA])

    assert later.value.reason == "connect_timeout"


def test_a_certificate_that_nobody_trusts_is_certainly_not_sent(connect: MakeClient, tmp_path: Path) -> None:
    tls = untrusted_tls(tmp_path)
    received: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with tls.wrap_socket(connection, server_side=True) as secured:
            received.append(secured.recv(1))

    with raw_carrier(serve) as url, pytest.raises(Unavailable) as later:
        connect(url.replace("http://127.0.0.1", "https://localhost")).send_bulk([MARIA])

    assert later.value.reason == "certificate"
    assert received == []


def test_a_proxy_that_cannot_be_reached_is_certainly_not_sent(
    connect: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed.getsockname()[1]}")

    with pytest.raises(Unavailable) as later:
        connect("http://carrier.invalid").send_bulk([MARIA])

    assert later.value.reason == "proxy"


def read_and_reset(connection: socket.socket) -> None:
    read_request(connection)
    reset(connection)


def reset_half_read(connection: socket.socket) -> None:
    connection.recv(1)
    reset(connection)


def read_and_babble(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"what do you want?\r\n\r\n")


def read_and_stop_midway(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"messages": [')


def read_and_lie_about_compression(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope")


@pytest.mark.parametrize(
    "serve",
    [
        read_and_close,
        read_and_reset,
        reset_half_read,
        read_and_babble,
        read_and_stop_midway,
        read_and_lie_about_compression,
    ],
)
def test_a_connection_that_breaks_leaves_everything_open(
    connect: MakeClient, serve: Callable[[socket.socket], None]
) -> None:
    calls: list[socket.socket] = []

    def counted(connection: socket.socket) -> None:
        calls.append(connection)
        serve(connection)

    with raw_carrier(counted) as url, pytest.raises(Ambiguous) as open_question:
        connect(url).send_bulk([MARIA])

    assert open_question.value.reason == "connection_lost"
    assert len(calls) == 1


@pytest.mark.parametrize("said", [b"", b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"mess'])
def test_a_carrier_that_falls_silent_leaves_everything_open(connect: MakeClient, said: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(said)
        wait_for_hang_up(connection)

    with raw_carrier(serve) as url, pytest.raises(Ambiguous) as open_question:
        connect(url, timeout_seconds=0.3).send_bulk([MARIA])

    assert open_question.value.reason == "read_timeout"


def test_the_timeout_of_a_job_passes_through_untouched(connect: MakeClient) -> None:
    main = threading.main_thread().ident
    assert main is not None

    def time_is_up(*_: object) -> None:
        raise JobTimeoutException("the job took too long")

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        signal.pthread_kill(main, signal.SIGUSR1)
        wait_for_hang_up(connection)

    before = signal.signal(signal.SIGUSR1, time_is_up)
    try:
        with raw_carrier(serve) as url, pytest.raises(JobTimeoutException):
            connect(url).send_bulk([MARIA])
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_calls_that_follow_each_other_share_a_connection(connect: MakeClient) -> None:
    with carrier(accept_all) as mitto:
        client = connect(mitto.url)
        for _ in range(3):
            client.send_bulk([MARIA])

    assert mitto.connections() == 1


def test_a_connection_that_was_idle_for_too_long_is_not_used_again(connect: MakeClient) -> None:
    with carrier(accept_all) as mitto:
        client = connect(mitto.url, idle_seconds=0)
        for _ in range(3):
            client.send_bulk([MARIA])

    assert mitto.connections() == 3


def test_a_kept_connection_that_the_carrier_has_closed_is_not_used_again(connect: MakeClient) -> None:
    body = json.dumps(answer_of({"messageId": MESSAGE_ID})).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    closed = threading.Semaphore(0)

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_RDWR)
        closed.release()

    with raw_carrier(serve) as url:
        client = connect(url)
        for _ in range(3):
            assert client.send_bulk([MARIA]).results == (Accepted(MESSAGE_ID),)
            assert closed.acquire(timeout=WAIT_SECONDS)


def test_threads_share_a_client_and_each_gets_its_own_answer(connect: MakeClient) -> None:
    phones = [f"+3069843{n:05}" for n in range(64)]

    with carrier(accept_all) as mitto, ThreadPoolExecutor(16) as threads:
        client = connect(mitto.url)
        answers = list(threads.map(lambda phone: client.send_bulk([OutboundSms(phone, "Hi", "S")]), phones))

    assert [answer.results for answer in answers] == [(Accepted("M" + phone),) for phone in phones]
    assert mitto.connections() <= 16


def test_cookies_of_the_carrier_are_not_sent_back(connect: MakeClient) -> None:
    with carrier_saying(answer_of({"messageId": MESSAGE_ID}), Set_Cookie="session=1") as mitto:
        client = connect(mitto.url)
        client.send_bulk([MARIA])
        client.send_bulk([MARIA])

    assert [request.headers.get("Cookie") for request in mitto.requests] == [None, None]
