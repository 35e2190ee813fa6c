"""What a caller of the carrier's API sees when nothing goes wrong, or when the caller is wrong."""

import re
from collections.abc import Callable

import pytest

from app.sandbox import SandboxConfig, create_sandbox
from app.sandbox.config import SandboxInProduction
from tests.sandbox.conftest import ACCOUNT, Carrier, message

ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
SEVEN_DIGITS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")
BULK = "/api/v1.1/Messages/sendmessagesbulk"


def test_each_message_of_a_bulk_gets_its_own_id_and_no_destination_is_echoed(carrier: Carrier) -> None:
    answer = carrier.bulk(*[f"+30690000{n:04d}" for n in range(100, 400)])

    assert answer.status_code == 200
    body = answer.json()
    assert len({item["messageId"] for item in body["messages"]}) == 300
    assert all(ULID.fullmatch(item["messageId"]) for item in body["messages"])
    assert set(body["messages"][0]) == {"trafficAccountId", "messageId"}
    assert set(body) == {"bulkId", "messages"}


def test_ids_come_in_the_order_of_the_request(carrier: Carrier) -> None:
    first, second = carrier.bulk("+306900001111", "+306900002222").json()["messages"]

    found = carrier.call("GET", "/_sandbox/messages").json()["messages"]

    assert [(one["phone"], one["messageId"]) for one in found] == [
        ("+306900001111", first["messageId"]),
        ("+306900002222", second["messageId"]),
    ]


def test_a_caller_without_a_key_is_unknown_and_one_with_a_wrong_key_is_refused(carrier: Carrier) -> None:
    none = carrier.call("POST", BULK, {"messages": []}, headers={"X-Mitto-API-Key": None})
    wrong = carrier.call("GET", "/api/v1/trafficAccounts", headers={"X-Mitto-API-Key": "guess"})

    assert (none.status_code, wrong.status_code) == (401, 403)


@pytest.mark.parametrize(
    ("destination", "text"),
    [("306900001111", "Hello"), ("", "Hello"), ("+30 690 000 1111", "Hello"), ("+306900001111", "  ")],
)
def test_a_bad_item_is_answered_in_its_place_with_an_error(
    carrier: Carrier, destination: str, text: str
) -> None:
    items = [message("+306900001111"), message(destination, text=text), message("+306900002222")]

    answers = carrier.call("POST", BULK, {"messages": items}).json()["messages"]

    assert ["messageId" in answer for answer in answers] == [True, False, True]
    assert answers[1]["error"]
    assert carrier.stats()["accepted"] == 2


@pytest.mark.parametrize("body", [[], "text", {}, {"messages": []}, {"messages": ["+306900001111"]}])
def test_nothing_of_a_nonsensical_bulk_is_accepted(carrier: Carrier, body: object) -> None:
    answer = carrier.call("POST", BULK, body)

    assert answer.status_code == 400
    assert answer.json()["message"]
    assert carrier.stats()["accepted"] == 0


def test_a_bulk_above_the_cap_is_refused_whole(start: Callable[..., Carrier]) -> None:
    carrier = start(bulk_max=2)

    assert carrier.bulk("+306900001111", "+306900002222", "+306900003333").status_code == 400
    assert carrier.bulk("+306900001111", "+306900002222").status_code == 200
    assert carrier.stats()["accepted"] == 2


def test_an_idempotency_key_does_not_prevent_a_second_sending(carrier: Carrier) -> None:
    for _ in range(2):
        body = {"messages": [message("+306900001111")]}
        carrier.call("POST", BULK, body, headers={"Idempotency-Key": "once"})

    stats = carrier.stats()
    assert (stats["accepted"], stats["distinct"]) == (2, 1)
    assert stats["duplicates"] == [{"phone": "+306900001111", "text": "Hello", "times": 2}]


def test_the_older_bulk_sends_one_text_to_many(carrier: Carrier) -> None:
    body = {
        "trafficAccountId": ACCOUNT,
        "destinations": ["+306900001111", "+306900002222"],
        "sms": {"text": "Hello", "sender": "MyShop"},
    }

    answers = carrier.call("POST", "/api/v1.1/Messages/sendbulk", body).json()["messages"]

    assert len({answer["messageId"] for answer in answers}) == 2


@pytest.mark.parametrize("version", ["v1", "v1.1"])
def test_the_lookup_tells_everything_about_a_message(start: Callable[..., Carrier], version: str) -> None:
    carrier = start(reports=False)
    message_id = carrier.send("+306900001111", "Καλημέρα " * 10)

    found = carrier.call("GET", f"/api/{version}/Messages/{message_id}").json()

    assert (found["messageId"], found["trafficAccountId"]) == (message_id, ACCOUNT)
    assert (found["deliveryStatus"], found["messageParts"]) == ("Sent", 2)
    assert found["requestInfo"]["sms"] == {"sender": "MyShop", "text": "Καλημέρα " * 10}
    assert SEVEN_DIGITS.fullmatch(found["createdAt"])
    assert SEVEN_DIGITS.fullmatch(found["updatedAt"])


def test_a_message_that_was_never_accepted_is_not_found(carrier: Carrier) -> None:
    assert carrier.call("GET", "/api/v1/Messages/01K8RBH8A6J1410YE2M9G780PK").status_code == 404


def test_the_key_can_be_probed_with_the_traffic_accounts(carrier: Carrier) -> None:
    assert carrier.call("GET", "/api/v1/trafficAccounts").json()[0]["id"] == ACCOUNT


def test_a_webhook_can_be_registered_replaced_and_removed(carrier: Carrier) -> None:
    hooks = "/api/v1/Webhooks"
    made = carrier.call("POST", hooks, {"url": "https://a.example/", "linkTrafficAccountIds": [ACCOUNT]})
    one = f"{hooks}/{made.json()['id']}"

    assert made.status_code == 201
    assert carrier.call("POST", hooks, {"url": "nowhere"}).status_code == 400
    replaced = {"url": "https://b.example/", "linkTrafficAccountIds": [ACCOUNT]}
    assert carrier.call("PUT", one, replaced).json()["url"] == "https://b.example/"
    assert carrier.call("DELETE", one).status_code == 400
    assert carrier.call("DELETE", f"{one}?forceDelete=true").status_code == 204
    assert carrier.call("GET", hooks).json() == []


def test_the_sandbox_does_not_start_in_production() -> None:
    with pytest.raises(SandboxInProduction):
        create_sandbox(SandboxConfig(app_env="production"))
