"""What is sent to the carrier, and what its answers mean."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from app.integrations.mitto.errors import Ambiguous, Refused, Unavailable
from app.integrations.mitto.types import (
    Accepted,
    BulkAnswer,
    Rejected,
    Unclear,
)
from tests.integrations.mitto.calls import (
    ACCOUNT,
    MARIA,
    MESSAGE_ID,
    NIKOS,
    OTHER_ID,
    MakeClient,
    accept_all,
    answer_of,
    read_and_close,
)
from tests.integrations.mitto.carriers import (
    carrier,
    carrier_saying,
    raw_carrier,
)


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


def test_no_error_text_holds_a_phone_a_text_or_the_key(connect: MakeClient) -> None:
    echo = {"message": f"{MARIA.destination} {MARIA.text} the-key"}
    with carrier_saying(echo, 400) as mitto, pytest.raises(Refused) as refusal:
        connect(mitto.url).send_bulk([MARIA])

    assert re.fullmatch(r"[a-z0-9_]{1,80}", str(refusal.value))
