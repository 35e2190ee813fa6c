"""Every way in which a call can end, on real sockets."""

from __future__ import annotations

import json
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from rq.timeouts import JobTimeoutException

from app.integrations.mitto.client import MittoClient
from app.integrations.mitto.errors import Ambiguous, Refused, Unavailable
from app.integrations.mitto.types import (
    Accepted,
    BulkAnswer,
    DeliveryStatus,
    MittoMessage,
    OutboundSms,
    Rejected,
    Unclear,
)
from tests.integrations.mitto.carriers import (
    WAIT_SECONDS,
    Asked,
    Said,
    carrier,
    carrier_saying,
    raw_carrier,
    read_request,
    reset,
    untrusted_tls,
    wait_for_hang_up,
)

ACCOUNT = "e8a5e53f-51ce-4cc8-9f3c-43fb1d24daf7"
MARIA = OutboundSms("+306984303406", "Γεια σου Μαρία 🎁", "MyShop")
NIKOS = OutboundSms("+306984303407", "Hi Nikos", "MyShop")
MESSAGE_ID = "01KC69MT19BRK5MSXG1V95YPHX"
OTHER_ID = "01K8RBH8A6J1410YE2M9G780PK"

MakeClient = Callable[..., MittoClient]


@pytest.fixture
def connect() -> Iterator[MakeClient]:
    """Make clients; close them afterwards."""
    with ExitStack() as opened:

        def make(url: str, *, timeout_seconds: float = WAIT_SECONDS, **options: Any) -> MittoClient:
            client = MittoClient(url, "the-key", ACCOUNT, timeout_seconds, **options)
            opened.callback(client.close)
            return client

        yield make


def answer_of(*items: object) -> dict[str, object]:
    return {"bulkId": "b-1", "messages": list(items)}


def accept_all(asked: Asked) -> Said:
    """Accept every message under an id made from its destination."""
    items = [{"messageId": "M" + one["destination"]} for one in asked.json()["messages"]]
    return Said(json.dumps(answer_of(*items)).encode())


# --- what is sent, and what an answer means


def test_a_batch_travels_in_one_call_with_key_account_and_plain_greek(connect: MakeClient) -> None:
    with carrier(accept_all) as mitto:
        answer = connect(mitto.url + "/").send_bulk([MARIA, NIKOS])

    (request,) = mitto.requests
    assert (request.method, request.path) == ("POST", "/api/v1.1/Messages/sendmessagesbulk")
    assert request.headers["X-Mitto-API-Key"] == "the-key"
    assert request.headers["Content-Type"] == "application/json"
    assert MARIA.text.encode() in request.body
    assert request.json()["messages"][0] == {
        "trafficAccountId": ACCOUNT,
        "destination": "+306984303406",
        "sms": {"text": "Γεια σου Μαρία 🎁", "sender": "MyShop"},
    }
    assert answer == BulkAnswer("b-1", (Accepted("M+306984303406"), Accepted("M+306984303407")))


def test_an_empty_batch_makes_no_call(connect: MakeClient) -> None:
    assert connect("http://127.0.0.1:9").send_bulk([]) == BulkAnswer(None, ())


@pytest.mark.parametrize(
    ("item", "result"),
    [
        ({"messageId": MESSAGE_ID}, Accepted(MESSAGE_ID)),
        ({"messageId": None, "id": MESSAGE_ID, "error": None}, Accepted(MESSAGE_ID)),
        ({"messageId": MESSAGE_ID, "id": OTHER_ID, "error": "slow"}, Accepted(MESSAGE_ID)),
        ({"id": 12345}, Accepted("12345")),
        ({"error": "Invalid destination +306984303406"}, Rejected("invalid_destination")),
        ({"error": {"code": "E1002", "message": "Sender not allowed"}}, Rejected("invalid_sender:E1002")),
        ({"errors": [{"code": 7, "title": "Bad text"}]}, Rejected("invalid_text:7")),
        ({"error": "Destination is blocked"}, Rejected("destination_blocked")),
        ({"messageId": "", "error": "Maria Papadopoulou said no"}, Rejected("rejected")),
        ({"error": {"code": "+306984303406"}}, Rejected("rejected")),
        ({"error": True}, Rejected("rejected")),
        ({"trafficAccountId": ACCOUNT}, Unclear()),
        ({"error": ""}, Unclear()),
        ({"messageId": "x" * 65}, Unclear()),
        ({"messageId": {"id": MESSAGE_ID}}, Unclear()),
        (None, Unclear()),
        ("accepted", Unclear()),
    ],
)
def test_each_item_of_an_answer_is_accepted_rejected_or_unclear(
    connect: MakeClient, item: object, result: object
) -> None:
    with carrier_saying(answer_of({"messageId": "first"}, item), 201) as mitto:
        answer = connect(mitto.url).send_bulk([MARIA, NIKOS])

    assert answer.results == (Accepted("first"), result)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (answer_of({"messageId": MESSAGE_ID}), "answer_count"),
        (answer_of(*[{"messageId": f"m{n}"} for n in range(3)]), "answer_count"),
        (answer_of({"messageId": MESSAGE_ID}, {"id": MESSAGE_ID}), "answer_duplicate_ids"),
        ({"messages": None}, "answer_without_messages"),
        ({"error": "nothing"}, "answer_without_messages"),
        ([], "answer_without_messages"),
        (b'{"messages": [{"messageId": "01K', "answer_not_json"),
        (b"<html>welcome</html>", "answer_not_json"),
        (b"", "answer_not_json"),
        (b"\xff\xfe\xfd", "answer_not_json"),
        (b"[" * 200_000, "answer_not_json"),
    ],
)
def test_a_good_status_with_an_answer_that_cannot_be_matched_leaves_everything_open(
    connect: MakeClient, body: object, reason: str
) -> None:
    with carrier_saying(body) as mitto, pytest.raises(Ambiguous) as open_question:
        connect(mitto.url).send_bulk([MARIA, NIKOS])

    assert open_question.value.reason == reason
    assert len(mitto.requests) == 1


# --- statuses


@pytest.mark.parametrize(
    ("status", "retry"),
    [(status, False) for status in (400, 413, 415, 422)]
    + [(status, True) for status in (401, 402, 403, 404, 405)],
)
def test_a_documented_refusal_of_the_call_proves_that_nothing_was_sent(
    connect: MakeClient, status: int, retry: bool
) -> None:
    with carrier_saying({"message": "no"}, status) as mitto, pytest.raises(Refused) as refusal:
        connect(mitto.url).send_bulk([MARIA])

    assert (refusal.value.reason, refusal.value.retry) == (f"http_{status}", retry)


@pytest.mark.parametrize("status", [302, 307, 408, 409, 425, 499, 500, 502, 503, 504])
def test_any_other_status_may_hide_an_acceptance_and_is_asked_only_once(
    connect: MakeClient, status: int
) -> None:
    with (
        carrier_saying({}, status, Retry_After="1", Location="/elsewhere") as mitto,
        pytest.raises(Ambiguous) as open_question,
    ):
        connect(mitto.url).send_bulk([MARIA])

    assert open_question.value.reason == f"http_{status}"
    assert len(mitto.requests) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("999999", 3600.0), ("soon", None), ("nan", None), ("inf", None)],
)
def test_a_carrier_that_is_asked_too_often_may_say_how_long_to_wait(
    connect: MakeClient, header: str, seconds: float | None
) -> None:
    with carrier_saying({}, 429, Retry_After=header) as mitto, pytest.raises(Unavailable) as later:
        connect(mitto.url).send_bulk([MARIA])

    assert (later.value.reason, later.value.retry_after_seconds) == ("rate_limited", seconds)


def test_the_time_to_wait_may_be_a_date_or_missing(connect: MakeClient) -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    with carrier_saying({}, 429, Retry_After=in_a_minute) as mitto, pytest.raises(Unavailable) as dated:
        connect(mitto.url).send_bulk([MARIA])
    with carrier_saying({}, 429) as mitto, pytest.raises(Unavailable) as undated:
        connect(mitto.url).send_bulk([MARIA])

    assert 50 < (dated.value.retry_after_seconds or 0) <= 60
    assert undated.value.retry_after_seconds is None


# --- connections that were never made: certainly not sent


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


# --- connections that broke: may have been sent


def read_and_close(connection: socket.socket) -> None:
    read_request(connection)


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


# --- connections that are kept


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


# --- looking up


def as_mitto_tells(**changes: object) -> dict[str, object]:
    return {
        "messageId": MESSAGE_ID,
        "text": MARIA.text,
        "conversation": {"id": "c", "participants": ["+306984303406", {"phone": "MyShop"}, {}, None]},
        "updatedAt": "2025-10-29T16:08:17.7854674Z",
        "deliveryStatus": "Failure",
        "description": "Unknown subscriber",
        "messageParts": 2,
    } | changes


def test_a_message_can_be_looked_up(connect: MakeClient) -> None:
    with carrier_saying(as_mitto_tells()) as mitto:
        found = connect(mitto.url).fetch(MESSAGE_ID)

    assert [(request.method, request.path) for request in mitto.requests] == [
        ("GET", f"/api/v1.1/Messages/{MESSAGE_ID}")
    ]
    assert found == MittoMessage(
        message_id=MESSAGE_ID,
        text=MARIA.text,
        participants=("+306984303406", "MyShop"),
        delivery_status="Failure",
        status=DeliveryStatus.FAILED,
        parts=2,
        description="Unknown subscriber",
        updated_at=datetime(2025, 10, 29, 16, 8, 17, 785467, UTC),
    )


@pytest.mark.parametrize(
    ("written", "parts"), [(None, 1), (3, 3), (0, 1), (10**30, 255), (True, 1), ("x", 1)]
)
def test_the_number_of_parts_is_at_least_one(connect: MakeClient, written: object, parts: int) -> None:
    with carrier_saying(as_mitto_tells(messageParts=written)) as mitto:
        found = connect(mitto.url).fetch(MESSAGE_ID)

    assert found is not None
    assert found.parts == parts


def test_a_message_of_which_little_is_told_is_still_read(connect: MakeClient) -> None:
    bare = {"id": MESSAGE_ID.lower(), "conversation": 7, "requestInfo": {"sms": {"text": " as asked\0 "}}}
    with carrier_saying(bare) as mitto:
        found = connect(mitto.url).fetch(MESSAGE_ID)

    assert found == MittoMessage(
        MESSAGE_ID, " as asked ", (), "", DeliveryStatus.UNKNOWN, 1, description=None, updated_at=None
    )


def test_a_message_that_the_carrier_does_not_know_is_none(connect: MakeClient) -> None:
    with carrier_saying({"message": "Message not found."}, 404) as mitto:
        assert connect(mitto.url).fetch("a/../b?c") is None

    assert mitto.requests[0].path == "/api/v1.1/Messages/a%2F..%2Fb%3Fc"


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (as_mitto_tells(messageId=OTHER_ID), 200, "answer_for_another_message"),
        ({}, 200, "answer_for_another_message"),
        (b"<html>", 200, "answer_not_json"),
        ({}, 500, "http_500"),
        ({}, 429, "rate_limited"),
    ],
)
def test_a_question_without_a_usable_answer_may_be_asked_again(
    connect: MakeClient, body: object, status: int, reason: str
) -> None:
    with carrier_saying(body, status) as mitto, pytest.raises(Unavailable) as later:
        connect(mitto.url).fetch(MESSAGE_ID)

    assert later.value.reason == reason


def test_a_question_that_breaks_off_may_be_asked_again(connect: MakeClient) -> None:
    with raw_carrier(read_and_close) as url, pytest.raises(Unavailable):
        connect(url).fetch(MESSAGE_ID)


def test_a_question_with_a_wrong_key_is_refused(connect: MakeClient) -> None:
    with carrier_saying({}, 403) as mitto, pytest.raises(Refused):
        connect(mitto.url).fetch(MESSAGE_ID)


# --- probing


def test_a_probe_succeeds_when_the_carrier_lists_our_accounts(connect: MakeClient) -> None:
    with carrier_saying([{"id": ACCOUNT}]) as mitto:
        assert connect(mitto.url).probe()

    assert [(request.method, request.path) for request in mitto.requests] == [
        ("GET", "/api/v1/trafficAccounts")
    ]


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_probe_fails_when_the_carrier_refuses_or_breaks(connect: MakeClient, status: int) -> None:
    with carrier_saying({}, status) as mitto:
        assert not connect(mitto.url).probe()


def test_a_probe_fails_when_nobody_answers(connect: MakeClient) -> None:
    with raw_carrier(read_and_close) as url:
        assert not connect(url).probe()


# --- what errors tell


def test_no_error_text_holds_a_phone_a_text_or_the_key(connect: MakeClient) -> None:
    echo = {"message": f"{MARIA.destination} {MARIA.text} the-key"}
    with carrier_saying(echo, 400) as mitto, pytest.raises(Refused) as refusal:
        connect(mitto.url).send_bulk([MARIA])

    assert re.fullmatch(r"[a-z0-9_]{1,80}", str(refusal.value))
