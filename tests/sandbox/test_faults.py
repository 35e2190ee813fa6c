"""Each way in which a send call goes wrong, and whether the messages were accepted nevertheless."""

import pytest
import requests

from tests.sandbox.conftest import Carrier
from tests.sandbox.waiting import eventually

PHONES = ("+306900001111", "+306900002222", "+306900003333", "+306900005555")


def test_too_many_requests_with_and_without_a_time_to_wait(carrier: Carrier) -> None:
    carrier.fault("http_429", retry_after=3)
    carrier.fault("http_429")

    first, second = carrier.bulk(*PHONES), carrier.bulk(*PHONES)

    assert (first.status_code, first.headers["Retry-After"]) == (429, "3")
    assert (second.status_code, "Retry-After" in second.headers) == (429, False)
    assert carrier.stats()["accepted"] == 0


@pytest.mark.parametrize(("kind", "accepted"), [("http_500_before_accept", 0), ("http_500_after_accept", 4)])
def test_an_error_of_the_server_says_nothing_about_acceptance(
    carrier: Carrier, kind: str, accepted: int
) -> None:
    carrier.fault(kind)

    assert carrier.bulk(*PHONES).status_code == 500
    assert carrier.stats()["accepted"] == accepted


@pytest.mark.parametrize(("kind", "accepted"), [("drop_before_read", 0), ("drop_after_accept", 4)])
def test_a_dropped_connection_gives_not_one_byte(carrier: Carrier, kind: str, accepted: int) -> None:
    carrier.fault(kind)

    with pytest.raises(requests.ConnectionError):
        carrier.bulk(*PHONES)
    assert carrier.stats()["accepted"] == accepted


def test_a_hanging_carrier_has_accepted(carrier: Carrier) -> None:
    carrier.fault("hang_seconds", value=1)
    url, headers = carrier.url + "/api/v1.1/Messages/send", dict(carrier.session.headers)
    body = {"trafficAccountId": "a", "destination": PHONES[0], "sms": {"text": "Hi", "sender": "MyShop"}}

    with pytest.raises(requests.ReadTimeout):
        requests.post(url, json=body, headers=headers, timeout=0.2)

    eventually(lambda: carrier.stats()["accepted"] == 1)


def test_a_slow_carrier_accepts_late(carrier: Carrier) -> None:
    carrier.fault("latency_ms", value=120)

    slow, usual = carrier.bulk(*PHONES), carrier.bulk(*PHONES)

    assert slow.elapsed.total_seconds() >= 0.12
    assert (slow.status_code, usual.status_code) == (200, 200)


def test_the_answer_may_lack_items_that_were_accepted(carrier: Carrier) -> None:
    carrier.fault("truncate_messages", value=3)

    assert len(carrier.bulk(*PHONES).json()["messages"]) == 1
    assert carrier.stats()["accepted"] == 4


def test_the_answer_may_be_in_another_order(carrier: Carrier) -> None:
    carrier.fault("reorder_messages")

    answered = [item["messageId"] for item in carrier.bulk(*PHONES).json()["messages"]]

    stored = carrier.call("GET", "/_sandbox/messages").json()["messages"]
    assert answered == [item["messageId"] for item in reversed(stored)]


def test_a_share_of_the_items_may_be_refused(carrier: Carrier) -> None:
    carrier.fault("refuse_items", share=0.25)

    answers = carrier.bulk(*PHONES).json()["messages"]

    assert ["messageId" in answer for answer in answers] == [True, True, True, False]
    assert carrier.stats()["accepted"] == 3


def test_the_answer_may_not_be_json(carrier: Carrier) -> None:
    carrier.fault("malformed_json")

    answer = carrier.bulk(*PHONES)

    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert carrier.stats()["accepted"] == 4


def test_a_fault_is_over_after_its_count(carrier: Carrier) -> None:
    carrier.fault("http_500_before_accept", count=2)

    statuses = [carrier.bulk(*PHONES).status_code for _ in range(3)]

    assert statuses == [500, 500, 200]
    assert carrier.call("GET", "/_sandbox/faults").json()["faults"] == []


def test_a_fault_without_a_count_lasts_until_it_is_cleared(carrier: Carrier) -> None:
    carrier.fault("http_500_before_accept", count=None)
    assert [carrier.bulk(*PHONES).status_code for _ in range(4)] == [500] * 4

    carrier.call("DELETE", "/_sandbox/faults")

    assert carrier.bulk(*PHONES).status_code == 200


def test_an_improbable_fault_strikes_never_and_a_lookup_fault_spares_sending(carrier: Carrier) -> None:
    carrier.fault("http_500_before_accept", probability=0.0, count=None)
    carrier.fault("http_429", on="lookup")

    message_id = carrier.bulk(*PHONES).json()["messages"][0]["messageId"]

    assert carrier.call("GET", f"/api/v1/Messages/{message_id}").status_code == 429
    assert carrier.call("GET", f"/api/v1/Messages/{message_id}").status_code == 200


@pytest.mark.parametrize(
    "wish", [{"kind": "earthquake"}, {"kind": "http_429", "count": 0}, {"kinds": "x"}, []]
)
def test_a_fault_that_does_not_exist_is_refused(carrier: Carrier, wish: object) -> None:
    assert carrier.call("POST", "/_sandbox/faults", wish).status_code == 400


def test_a_reset_forgets_messages_and_faults(carrier: Carrier) -> None:
    carrier.bulk(*PHONES)
    carrier.fault("http_429", count=None)

    assert carrier.call("POST", "/_sandbox/reset").status_code == 204

    assert carrier.stats() == {
        "accepted": 0,
        "distinct": 0,
        "duplicates": [],
        "by_status": {},
        "replies": 0,
    }
    assert carrier.bulk(*PHONES).status_code == 200
