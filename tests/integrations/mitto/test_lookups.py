"""Asking the carrier about a message."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.integrations.mitto.errors import Refused, Unavailable
from app.integrations.mitto.types import (
    DeliveryStatus,
    MittoMessage,
)
from tests.integrations.mitto.calls import (
    MARIA,
    MESSAGE_ID,
    OTHER_ID,
    MakeClient,
    read_and_close,
)
from tests.integrations.mitto.carriers import (
    carrier_saying,
    raw_carrier,
)


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
