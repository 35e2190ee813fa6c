"""What the product's webhooks hear, and how carriers misbehave in telling it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.sandbox import SandboxConfig
from tests.sandbox.conftest import SECRET, Carrier, Receiver, running
from tests.sandbox.waiting import eventually

PHONE = "+306900001111"


def test_a_delivered_text_is_reported_with_the_secret(carrier: Carrier, receiver: Receiver) -> None:
    message_id = carrier.send("+306900000001")

    eventually(receiver.reports)

    report = receiver.reports()[0]
    assert (report["messageId"], report["deliveryStatus"]) == (message_id, "Delivered")
    assert set(report) == {"messageId", "deliveryStatus", "updatedAt"}
    assert receiver.posts[0].token == SECRET
    assert carrier.status(message_id) == "Delivered"


def test_a_number_that_does_not_exist_fails_with_a_reason(carrier: Carrier, receiver: Receiver) -> None:
    message_id = carrier.send("+306900000002")

    eventually(receiver.reports)

    assert receiver.reports()[0]["deliveryStatus"] == "Failure"
    assert receiver.reports()[0]["description"] == "Unknown subscriber"
    assert carrier.status(message_id) == "Failure"


def test_some_texts_never_get_beyond_sent(carrier: Carrier, receiver: Receiver) -> None:
    message_id = carrier.send("+306900000003")

    carrier.settle()

    assert {report["deliveryStatus"] for report in receiver.reports()} == {"Sent"}
    assert carrier.status(message_id) == "Sent"


def test_some_items_are_refused_without_an_id(carrier: Carrier) -> None:
    answers = carrier.bulk("+306900000004", PHONE).json()["messages"]

    assert ["messageId" in answer for answer in answers] == [False, True]


def test_some_outcomes_are_reported_twice(carrier: Carrier, receiver: Receiver) -> None:
    message_id = carrier.send("+306900000005")

    carrier.settle()

    assert [report["messageId"] for report in receiver.reports()] == [message_id] * 2


def test_some_reports_come_before_the_answer(carrier: Carrier, receiver: Receiver) -> None:
    message_id = carrier.send("+306900000006")

    assert [report["messageId"] for report in receiver.reports()] == [message_id]  # at once, without waiting


def test_some_phones_answer_stop(carrier: Carrier, receiver: Receiver) -> None:
    carrier.send("+306900000007")

    eventually(receiver.replies)

    reply = receiver.replies()[0]
    assert (reply["from"], reply["to"], reply["text"]) == ("+306900000007", "MyShop", "STOP")
    assert carrier.stats()["replies"] == 1


def test_most_phones_get_their_text_and_the_unlucky_ones_are_always_the_same(
    start: Callable[..., Carrier],
) -> None:
    phones = [f"+30691{n:07d}" for n in range(50_010, 50_910)]
    outcomes = []
    for _ in range(2):
        carrier = start(failure_share=0.1)
        carrier.bulk(*phones)
        carrier.settle()
        found = carrier.call("GET", "/_sandbox/messages?limit=1000").json()["messages"]
        outcomes.append({one["phone"] for one in found if one["deliveryStatus"] == "Failure"})

    assert outcomes[0] == outcomes[1]
    assert 45 <= len(outcomes[0]) <= 135


def test_reports_travel_in_arrays_of_limited_length(
    start: Callable[..., Carrier], receiver: Receiver
) -> None:
    carrier = start(report_array_max=7)
    carrier.bulk(*["+306900000001"] * 20)

    carrier.settle()

    lengths = [len(post.body) for post in receiver.posts]
    assert sum(lengths) == 20
    assert max(lengths) == 7


def test_a_webhook_that_is_down_gets_its_reports_when_it_is_back(
    carrier: Carrier, receiver: Receiver
) -> None:
    receiver.refusals = 3
    message_id = carrier.send("+306900000001")

    carrier.settle()

    assert [report["messageId"] for report in receiver.reports()] == [message_id]


def test_the_carrier_gives_up_in_the_end(start: Callable[..., Carrier], receiver: Receiver) -> None:
    receiver.refusals = 100
    carrier = start(report_attempts=3)
    carrier.send("+306900000001")

    carrier.settle()

    assert carrier.call("GET", "/_sandbox/outstanding").json()["givenUp"] == 1
    assert receiver.refusals == 97


def test_a_silent_carrier_accepts_and_reports_nothing(
    start: Callable[..., Carrier], receiver: Receiver
) -> None:
    carrier = start(reports=False)
    carrier.bulk("+306900000001", "+306900000006", "+306900000007")

    assert carrier.outstanding() == 0
    assert receiver.posts == []
    assert carrier.stats()["by_status"] == {"Sent": 3}


def test_a_registered_webhook_is_told_with_its_own_headers(
    start: Callable[..., Carrier], receiver: Receiver
) -> None:
    carrier = start(webhook_url="")
    hook = {"url": f"{receiver.url}/dlr", "headers": {"X-Webhook-Token": SECRET}}
    carrier.call("POST", "/api/v1/Webhooks", hook | {"webhookTriggers": ["MessageStatusUpdated"]})

    carrier.send("+306900000007")
    carrier.settle()

    assert [post.token for post in receiver.posts] == [SECRET]
    assert receiver.replies() == []


@pytest.mark.parametrize(
    ("switch", "reports"),
    [
        ("doubled", ["Delivered", "Delivered"]),
        ("reordered", ["Delivered", "Sent"]),
        ("single", ["Delivered"]),
        ("lost", []),
    ],
)
def test_carriers_have_bad_habits(
    carrier: Carrier, receiver: Receiver, switch: str, reports: list[str]
) -> None:
    carrier.switch(**{switch: True})

    message_id = carrier.send("+306900000001")
    carrier.settle()

    assert [report["deliveryStatus"] for report in receiver.reports()] == reports
    assert carrier.status(message_id) == "Delivered"
    assert all(isinstance(post.body, dict) is (switch == "single") for post in receiver.posts)


def test_a_report_may_carry_an_id_that_nobody_was_given(carrier: Carrier, receiver: Receiver) -> None:
    carrier.switch(unknown_ids=True)
    message_id = carrier.send("+306900000001")

    carrier.settle()

    known, unknown = (report["messageId"] for report in receiver.reports())
    assert known == message_id
    assert carrier.call("GET", f"/api/v1/Messages/{unknown}").status_code == 404


def test_a_wrong_secret_is_refused_until_it_is_right_again(carrier: Carrier, receiver: Receiver) -> None:
    carrier.switch(wrong_secret=True)
    carrier.send("+306900000001")

    eventually(lambda: receiver.posts)

    assert receiver.posts[0].token != SECRET


def test_every_report_may_come_before_the_answer(carrier: Carrier, receiver: Receiver) -> None:
    carrier.switch(early=True)

    answers = carrier.bulk(PHONE, "+306900000001").json()["messages"]

    assert [report["messageId"] for report in receiver.reports()] == [one["messageId"] for one in answers]


def test_paused_reports_wait_until_they_may_go(carrier: Carrier, receiver: Receiver) -> None:
    carrier.switch(paused=True)
    carrier.send("+306900000006")  # this one is told at once, whatever is paused
    message_id = carrier.send("+306900000001")
    assert carrier.outstanding() == 1
    assert carrier.status(message_id) == "Sent"

    carrier.switch(paused=False)
    carrier.settle()

    assert carrier.status(message_id) == "Delivered"
    assert len(receiver.reports()) == 2


def test_a_switch_that_does_not_exist_is_refused(carrier: Carrier) -> None:
    assert carrier.call("PUT", "/_sandbox/reports", {"nonsense": True}).status_code == 400
    assert carrier.call("PUT", "/_sandbox/reports", {"paused": "yes"}).status_code == 400


def test_a_restarted_sandbox_still_owes_its_reports(
    start: Callable[..., Carrier], receiver: Receiver, tmp_path: Path
) -> None:
    store = str(tmp_path / "carrier.db")
    with running(SandboxConfig(store=store, webhook_url=receiver.url, webhook_secret=SECRET)) as first:
        first.switch(paused=True)
        message_id = first.send(PHONE)

    second = start(store=store)
    second.settle()

    assert [report["messageId"] for report in receiver.reports()] == [message_id]
    assert second.stats()["accepted"] == 1
