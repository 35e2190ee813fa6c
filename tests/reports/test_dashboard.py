"""The dashboard, checked against a past that was counted by hand."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from tests import build_contacts
from tests.build_campaigns import Merchant, a_merchant, statements
from tests.reports.history import a_sent_campaign, days_ago, noon


@pytest.fixture
def week(merchant: Merchant) -> Merchant:
    """Six people. Long ago 3 were texted; three days ago 2 of 4 were reached; today 1 of 6 was refused."""
    a_sent_campaign(merchant, "aaa", "ddd", at=noon(merchant, 40), name="Old")
    a_sent_campaign(merchant, "aaar", "ddf", at=noon(merchant, 3), name="Middle")
    a_sent_campaign(merchant, "aaaaar", "dddd", name="New")
    return merchant


def test_the_dashboard_in_full(week: Merchant) -> None:
    build_contacts.a_contact(week.shop, consent="opted_out")
    shown = week.data("GET", "/dashboard")

    assert shown["credits"] == 1000 - 3 - 2 - 5
    assert (shown["totalCampaigns"], shown["totalContacts"]) == (3, 7)
    assert (shown["totalMessagesSent"], shown["activeAutomations"]) == (11, 0)
    reports = shown["reports"]
    assert reports["last7Days"] == {"sent": 8, "delivered": 6, "failed": 3, "unsubscribes": 1}
    assert [
        (one["name"], one["sent"], one["delivered"], one["failed"]) for one in reports["topCampaigns"]
    ] == [
        ("New", 5, 4, 1),
        ("Middle", 3, 2, 2),
        ("Old", 3, 3, 0),
    ]
    trend = {one["date"]: one["deliveredRate"] for one in reports["deliveryRateTrend"]}
    assert list(trend) == [days_ago(week, days) for days in range(6, -1, -1)]
    assert (trend[days_ago(week, 3)], trend[days_ago(week, 0)], trend[days_ago(week, 1)]) == (66.7, 80.0, 0)
    used = {one["date"]: one["creditsDebited"] for one in reports["creditsUsage"]}
    assert (used[days_ago(week, 3)], used[days_ago(week, 0)], sum(used.values())) == (2, 5, 7)


def test_a_new_shop_sees_zeros_and_seven_days(merchant: Merchant) -> None:
    shown = merchant.data("GET", "/dashboard")

    assert shown["totalMessagesSent"] == shown["totalCampaigns"] == shown["totalContacts"] == 0
    assert len(shown["reports"]["deliveryRateTrend"]) == 7
    assert shown["reports"]["topCampaigns"] == []


def test_a_stranger_sees_nothing_of_it(week: Merchant, stranger: Merchant) -> None:
    shown, overview = stranger.data("GET", "/dashboard"), stranger.data("GET", "/dashboard/overview")

    assert (shown["totalMessagesSent"], shown["totalCampaigns"], shown["totalContacts"]) == (0, 0, 0)
    assert shown["reports"]["last7Days"]["sent"] == 0
    assert overview["recentMessages"] == []
    assert [one["meta"]["reason"] for one in overview["recentTransactions"]] == ["for a test"]


def test_the_overview_shows_totals_and_the_newest(week: Merchant) -> None:
    shown = week.data("GET", "/dashboard/overview")

    assert shown["sms"] == {"sent": 11, "delivered": 9, "failed": 3, "deliveryRate": 81.8}
    assert shown["contacts"] == {"total": 6, "optedIn": 6, "optedOut": 0}
    assert shown["wallet"] == {"balance": 990, "currency": "EUR"}
    assert [one["status"] for one in shown["recentMessages"]] == ["failed", "sent", *["delivered"] * 3]
    newest = shown["recentMessages"][0]
    assert set(newest) == {"id", "phoneE164", "status", "createdAt", "payload"}
    assert newest["payload"]["error"] == "blocked"
    assert [(one["type"], one["credits"]) for one in shown["recentTransactions"]] == [
        ("debit", 5),
        ("refund", 1),
        ("debit", 3),
        ("debit", 3),
        ("credit", 1000),
    ]


def test_quick_stats_are_two_numbers(week: Merchant) -> None:
    assert week.data("GET", "/dashboard/quick-stats") == {"smsSent": 11, "walletBalance": 990}


def test_a_part_that_fails_is_zeros_and_the_rest_stays(
    week: Merchant, owner: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with owner.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE run_quarters RENAME TO away")
        try:
            answer = week.call("GET", "/dashboard")
        finally:
            connection.exec_driver_sql("ALTER TABLE away RENAME TO run_quarters")

    assert answer.status_code == 200
    assert answer.json["data"]["reports"]["last7Days"]["sent"] == 0
    assert answer.json["data"]["totalMessagesSent"] == 11


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/overview", "/dashboard/quick-stats"])
def test_a_dashboard_costs_the_same_however_much_there_is(
    app: Flask, client: FlaskClient, week: Merchant, path: str
) -> None:
    small = a_merchant(client)
    a_sent_campaign(small, "a")

    with statements(app) as few:
        small.data("GET", path)
    with statements(app) as many:
        week.data("GET", path)

    assert len(few) == len(many)
    assert not any("FROM messages" in one and "count(" in one for one in many)


def test_the_quarters_of_a_run_add_up_to_its_counters(week: Merchant) -> None:
    campaign = week.data("GET", "/campaigns?search=New")["items"][0]["id"]
    assert week.do("retry-failed", campaign).status_code == 200

    shown = week.data("GET", "/dashboard")["reports"]["last7Days"]

    assert (shown["sent"], shown["failed"]) == (8, 2), "a failure that was taken up again is none"
