"""Following messages to the end, and asking the carrier about them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.build_campaigns import Merchant, statements
from tests.build_messages import assert_books_balance
from tests.reports.conftest import AskedCarrier
from tests.reports.history import a_sent_campaign


def carrier_ids(merchant: Merchant) -> list[str]:
    return [one.provider_message_id for one in merchant.messages() if one.provider_message_id]


@pytest.fixture
def three(merchant: Merchant) -> tuple[Merchant, str, list[str]]:
    """A campaign with three accepted messages without a report, and a refused one."""
    campaign = a_sent_campaign(merchant, "aaar", name="Three")
    return merchant, campaign, carrier_ids(merchant)


def test_a_message_is_followed_to_the_carrier(three: Any, lookups: AskedCarrier) -> None:
    merchant, _, ids = three
    lookups.words[ids[0]] = "Delivered"

    shown = merchant.data("GET", f"/tracking/mitto/{ids[0]}")

    assert (shown["messageId"], shown["status"], shown["deliveryStatus"]) == (
        ids[0],
        "delivered",
        "Delivered",
    )
    assert shown["campaign"] == {"name": "Three", "status": "completed"}
    assert shown["senderNumber"]
    assert "warning" not in shown
    assert merchant.data("GET", "/reports/messaging")["byStatus"]["delivered"] == 1


def test_a_message_with_a_final_state_is_not_asked_about_again(three: Any, lookups: AskedCarrier) -> None:
    merchant, _, ids = three
    lookups.words[ids[0]] = "Delivered"

    for _ in range(3):
        merchant.data("GET", f"/tracking/mitto/{ids[0]}")

    assert lookups.asked == [ids[0]]


def test_a_carrier_that_is_away_is_a_warning(three: Any, lookups: AskedCarrier) -> None:
    merchant, _, ids = three
    lookups.is_down = True

    shown = merchant.data("GET", f"/tracking/mitto/{ids[0]}")

    assert (shown["status"], shown["deliveryStatus"]) == ("sent", "Sent")
    assert "does not answer" in shown["warning"]


def test_our_own_ids_name_messages_too(three: Any, lookups: AskedCarrier) -> None:
    merchant, _, _ = three
    refused = merchant.messages()[-1]

    shown = merchant.data("GET", f"/tracking/mitto/{refused.id}")

    assert (shown["messageId"], shown["status"], shown["deliveryStatus"]) == (str(refused.id), "failed", None)
    assert lookups.asked == []


def test_a_message_of_a_stranger_does_not_exist_and_is_not_asked_about(
    three: Any, stranger: Merchant, lookups: AskedCarrier
) -> None:
    merchant, campaign, ids = three
    lookups.words = dict.fromkeys(ids, "Delivered")

    for name in (ids[0], str(merchant.messages()[0].id), "nobody", "9" * 40):
        assert stranger.refused("GET", f"/tracking/mitto/{name}") == (404, "NOT_FOUND")
        assert stranger.refused("GET", f"/api/mitto/message/{name}") == (404, "NOT_FOUND")
        body = {"providerMessageId": name}
        assert stranger.refused("POST", "/api/mitto/refresh-status", body) == (404, "MESSAGE_NOT_FOUND")
    assert stranger.refused("GET", f"/tracking/campaign/{campaign}") == (404, "NOT_FOUND")
    by_campaign = {"campaignId": campaign}
    assert stranger.refused("POST", "/api/mitto/refresh-status-bulk", by_campaign) == (404, "NOT_FOUND")
    shown = stranger.data("POST", "/tracking/bulk-update", {"messageIds": ids})
    assert (shown["updated"], shown["failed"]) == (0, 3)
    assert {one["error"] for one in shown["results"]} == {"MESSAGE_NOT_FOUND"}
    assert lookups.asked == []
    assert {one.state for one in merchant.messages()} == {"sent", "failed"}


def test_a_campaigns_messages_come_in_pages(three: Any) -> None:
    merchant, campaign, ids = three

    shown = merchant.data("GET", f"/tracking/campaign/{campaign}?page=1&pageSize=3")

    assert [one["messageId"] for one in shown["messages"]] == ids
    assert shown["summary"] == {"total": 4, "sent": 3, "delivered": 0, "failed": 1, "queued": 0, "pending": 3}
    assert (shown["campaignId"], shown["campaign"]["name"], shown["metrics"]["total"]) == (
        campaign,
        "Three",
        4,
    )
    assert (shown["pagination"]["total"], shown["pagination"]["hasNextPage"]) == (4, True)
    last = merchant.data("GET", f"/tracking/campaign/{campaign}?page=2&limit=3")
    assert [(one["status"], one["error"]) for one in last["messages"]] == [("failed", "blocked")]
    assert merchant.data("GET", f"/tracking/campaign/{campaign}?page=9")["messages"] == []


def test_only_the_campaigns_own_messages_are_listed(three: Any) -> None:
    merchant, campaign, _ = three
    other = a_sent_campaign(merchant, "aa", name="Other")

    assert len(merchant.data("GET", f"/tracking/campaign/{campaign}")["messages"]) == 4
    shown = merchant.data("GET", f"/tracking/campaign/{other}")["messages"]
    assert [one["messageId"] for one in shown] == carrier_ids(merchant)[3:]


def test_a_draft_has_no_messages(merchant: Merchant) -> None:
    shown = merchant.data("GET", f"/tracking/campaign/{merchant.a_campaign()}")

    assert (shown["messages"], shown["pagination"]["total"]) == ([], 0)


def test_a_page_of_messages_is_two_reads_whatever_its_size(app: Flask, three: Any) -> None:
    merchant, campaign, _ = three

    with statements(app) as few:
        merchant.data("GET", f"/tracking/campaign/{campaign}?pageSize=1")
    with statements(app) as many:
        merchant.data("GET", f"/tracking/campaign/{campaign}?pageSize=4")

    assert len(few) == len(many)


def test_many_are_asked_about_at_once(three: Any, lookups: AskedCarrier) -> None:
    merchant, _, ids = three
    lookups.words = {ids[0]: "Delivered", ids[1]: "Failure", ids[2]: "Sent"}
    before = merchant.balance().wallet

    shown = merchant.data("POST", "/tracking/bulk-update", {"messageIds": [*ids, "nobody"]})

    assert (shown["updated"], shown["failed"]) == (2, 1)
    assert shown["results"] == [
        {"messageId": ids[0], "deliveryStatus": "Delivered", "success": True},
        {"messageId": ids[1], "deliveryStatus": "Failure", "success": True},
        {"messageId": ids[2], "deliveryStatus": "Sent", "success": True},
        {"messageId": "nobody", "success": False, "error": "MESSAGE_NOT_FOUND"},
    ]
    assert merchant.balance().wallet == before + 1, "the undelivered one is refunded, once"
    again = merchant.data("POST", "/tracking/bulk-update", {"messageIds": ids})
    assert (again["updated"], merchant.balance().wallet) == (0, before + 1)
    assert_books_balance()


def test_refreshing_one_says_what_changed(three: Any, lookups: AskedCarrier) -> None:
    merchant, _, ids = three
    lookups.words[ids[0]] = "DELIVRD"
    body = {"providerMessageId": ids[0]}

    assert merchant.data("POST", "/api/mitto/refresh-status", body) == {
        "providerMessageId": ids[0],
        "deliveryStatus": "Delivered",
        "internalStatus": "delivered",
        "updatedRecipient": True,
        "updatedLog": True,
    }
    assert merchant.data("POST", "/api/mitto/refresh-status", body)["updatedRecipient"] is False


def test_refreshing_while_the_carrier_is_away_is_refused_and_changes_nothing(
    three: Any, lookups: AskedCarrier
) -> None:
    merchant, _, ids = three
    lookups.is_down = True

    refused = merchant.refused("POST", "/api/mitto/refresh-status", {"providerMessageId": ids[0]})

    assert refused == (502, "EXTERNAL_SERVICE_ERROR")
    assert merchant.messages()[0].state == "sent"


def test_a_campaign_is_refreshed_a_hundred_messages_at_a_time(
    merchant: Merchant, lookups: AskedCarrier
) -> None:
    campaign = a_sent_campaign(merchant, "a" * 103)
    lookups.words = dict.fromkeys(carrier_ids(merchant), "Delivered")
    body = {"campaignId": campaign}

    first = merchant.data("POST", "/api/mitto/refresh-status-bulk", body)
    second = merchant.data("POST", "/api/mitto/refresh-status-bulk", body)
    third = merchant.data("POST", "/api/mitto/refresh-status-bulk", body)

    assert (first["total"], first["updated"], first["failed"], first["remaining"]) == (100, 100, 0, 3)
    assert (second["total"], second["updated"], second["remaining"]) == (3, 3, 0)
    assert third["total"] == 0
    assert len(lookups.asked) == 103


def test_of_many_named_messages_the_first_hundred_are_asked_about(
    merchant: Merchant, lookups: AskedCarrier
) -> None:
    names = [f"nobody-{number}" for number in range(150)]

    shown = merchant.data("POST", "/api/mitto/refresh-status-bulk", {"providerMessageIds": names})

    assert (shown["total"], shown["failed"], shown["remaining"]) == (100, 100, 50)
    assert lookups.asked == []


def test_a_carrier_that_is_away_is_asked_only_a_few_times(merchant: Merchant, lookups: AskedCarrier) -> None:
    campaign = a_sent_campaign(merchant, "a" * 100)
    lookups.is_down = True

    shown = merchant.data("POST", "/api/mitto/refresh-status-bulk", {"campaignId": campaign})

    assert (shown["updated"], shown["failed"]) == (0, 100)
    assert len(lookups.asked) <= 16


def test_a_message_is_shown_as_we_know_it_without_asking(three: Any, lookups: AskedCarrier) -> None:
    merchant, _, ids = three

    shown = merchant.data("GET", f"/api/mitto/message/{ids[0]}")

    assert set(shown) == {"messageId", "deliveryStatus", "createdAt", "updatedAt"}
    assert (shown["messageId"], shown["deliveryStatus"]) == (ids[0], "Sent")
    assert lookups.asked == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/tracking/bulk-update", {}),
        ("/tracking/bulk-update", {"messageIds": []}),
        ("/tracking/bulk-update", {"messageIds": ["x"] * 101}),
        ("/tracking/bulk-update", {"messageIds": [""]}),
        ("/tracking/bulk-update", {"messageIds": ["x" * 129]}),
        ("/tracking/bulk-update", {"messageIds": "x"}),
        ("/tracking/bulk-update", {"messageIds": [{"$ne": 1}]}),
        ("/api/mitto/refresh-status", {}),
        ("/api/mitto/refresh-status", {"providerMessageId": None}),
        ("/api/mitto/refresh-status-bulk", {}),
        ("/api/mitto/refresh-status-bulk", {"providerMessageIds": []}),
        ("/api/mitto/refresh-status-bulk", {"campaignId": "x"}),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(merchant: Merchant, path: str, body: Any) -> None:
    assert merchant.refused("POST", path, body) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("query", ["page=0", "pageSize=501", "pageSize=0", "page=x", "limit=501"])
def test_a_page_that_makes_no_sense_is_refused(merchant: Merchant, query: str) -> None:
    campaign = merchant.a_campaign()

    assert merchant.refused("GET", f"/tracking/campaign/{campaign}?{query}") == (400, "VALIDATION_ERROR")
