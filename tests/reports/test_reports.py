"""The reports, checked against a past that was counted by hand."""

from __future__ import annotations

from datetime import time
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.core.uow import unit_of_work
from app.credits import service as credits
from tests import build_contacts
from tests.build_campaigns import Merchant, a_merchant, statements
from tests.reports.history import a_sent_campaign, days_ago, local, noon

REPORTS = ("overview", "campaigns", "automations", "messaging", "credits", "contacts")


@pytest.fixture
def month(merchant: Merchant) -> Merchant:
    """40 days ago 3 of 3 were reached; 3 days ago 2 of 4 (1 refused, 1 undelivered); today 4 of 6."""
    a_sent_campaign(merchant, "aaa", "ddd", at=noon(merchant, 40), name="Old")
    a_sent_campaign(merchant, "aaar", "ddf", at=noon(merchant, 3), name="Middle")
    a_sent_campaign(merchant, "aaaaar", "dddd", name="New")
    merchant.a_campaign(name="Draft")
    return merchant


def of_month(merchant: Merchant, report: str, query: str = "") -> Any:
    return merchant.data("GET", f"/reports/{report}?{query}")


def test_the_overview_has_each_summary_flat_and_nested(month: Merchant) -> None:
    shown = of_month(month, "overview")

    assert shown["overview"] == {
        "totalCampaigns": 4,
        "totalContacts": 6,
        "totalSmsSent": 8,
        "deliveryRate": 75.0,
        "creditsRemaining": 990,
    }
    summary = {
        "totalCampaigns": 3,
        "activeCampaigns": 0,
        "totalMessages": 8,
        "totalSent": 8,
        "delivered": 6,
        "totalDelivered": 6,
        "failed": 3,
        "totalFailed": 3,
        "deliveryRate": 75.0,
        "creditsUsed": 7,
    }
    performance = shown["campaignPerformance"]
    assert performance["summary"] == summary
    assert {key: performance[key] for key in summary} == summary
    assert len(performance["trends"]) == 30
    assert performance["trends"][-1] == {"date": days_ago(month, 0), "messages": 5}
    assert performance["trends"][-4] == {"date": days_ago(month, 3), "messages": 3}
    assert performance["statusBreakdown"] == [
        {"status": "draft", "count": 1},
        {"status": "completed", "count": 2},
    ]
    assert [one["name"] for one in performance["topPerformers"]] == ["New", "Middle"]
    for section in ("automationInsights", "creditUsage", "contactInsights"):
        flat = {key: value for key, value in shown[section].items() if key != "summary"}
        assert flat == shown[section]["summary"]
    assert shown["recentActivity"] == {"campaigns": 3, "messages": 8, "automations": 0}
    assert shown["health"] == {
        "creditStatus": "healthy",
        "contactGrowth": "active",
        "automationHealth": "inactive",
    }
    assert shown["dateRange"]["window"] == "30d"


def test_kpis_are_about_now_and_the_last_week(month: Merchant) -> None:
    shown = month.data("GET", "/reports/kpis")

    assert shown["overview"] == {
        "totalCampaigns": 4,
        "totalContacts": 6,
        "activeAutomations": 0,
        "creditsRemaining": 990,
    }
    assert shown["recentActivity"]["messages"] == 8


def test_the_campaigns_report_counts_what_happened_in_the_time(month: Merchant) -> None:
    shown = of_month(month, "campaigns", "type=sms&limit=2")

    assert [one["name"] for one in shown["reports"]] == ["Draft", "New"]
    assert shown["campaigns"][1]["messageCount"] == 5
    assert shown["reports"][1] | {"id": "", "campaignId": "", "date": ""} == {
        "id": "",
        "campaignId": "",
        "campaignName": "New",
        "name": "New",
        "status": "completed",
        "sent": 5,
        "delivered": 4,
        "failed": 1,
        "deliveryRate": 80.0,
        "creditsUsed": 5,
        "date": "",
    }
    stats = shown["campaignStats"]
    assert (stats["totalSent"], stats["totalDelivered"], stats["totalFailed"]) == (8, 6, 3)
    assert stats["avgDeliveryRate"] == 75.0
    assert stats["byStatus"]["completed"] == stats["byStatus"]["sent"] == 2
    assert shown["totalCount"] == 3
    assert shown["pagination"] | {"pageSize": 0} == {
        "page": 1,
        "pageSize": 0,
        "total": 3,
        "totalPages": 2,
        "hasNextPage": True,
        "hasPrevPage": False,
    }


def test_a_campaign_that_was_written_earlier_is_in_the_report_of_when_it_was_sent(merchant: Merchant) -> None:
    campaign = a_sent_campaign(merchant, "aa", "d")
    before = noon(merchant, 90)
    with unit_of_work(merchant.shop.id) as session:
        session.execute(sa.text("UPDATE campaigns SET created_at = :at"), {"at": before})

    shown = of_month(merchant, "campaigns")

    assert [(one["id"], one["sent"]) for one in shown["reports"]] == [(campaign, 2)]


def test_campaigns_can_be_chosen_by_status_under_either_name(month: Merchant) -> None:
    for status in ("completed", "sent"):
        shown = of_month(month, "campaigns", f"status={status}")
        assert [one["name"] for one in shown["campaigns"]] == ["New", "Middle"]
        assert shown["campaignStats"]["totalSent"] == 8
    assert of_month(month, "campaigns", "status=draft")["campaignStats"]["totalSent"] == 0
    assert month.refused("GET", "/reports/campaigns?status=nonsense") == (400, "INVALID_FILTER")


def test_one_campaign_shows_all_it_did(month: Merchant, stranger: Merchant) -> None:
    campaign = month.data("GET", "/campaigns?search=Middle")["items"][0]["id"]

    shown = month.data("GET", f"/reports/campaigns/{campaign}")

    assert shown["analytics"] == {"sent": 3, "delivered": 2, "failed": 2, "deliveryRate": 66.7}
    assert shown["recipientAnalytics"] == {"total": 4, "optedIn": 4, "optedOut": 0}
    assert shown["creditsUsed"] == 2
    assert [one for one in shown["trends"] if one["messages"]] == [
        {"date": days_ago(month, 3), "messages": 3}
    ]
    assert stranger.refused("GET", f"/reports/campaigns/{campaign}") == (404, "NOT_FOUND")


def test_automations_are_zeros_until_there_are_any(month: Merchant) -> None:
    shown = of_month(month, "automations")

    assert shown["summary"] == {
        "totalTriggered": 0,
        "totalActive": 0,
        "totalInactive": 0,
        "completionRate": 0,
    }
    assert (shown["statusBreakdown"], shown["typeBreakdown"], shown["activeAutomations"]) == ([], [], [])
    assert len(shown["trends"]) == 30
    assert {one["triggered"] for one in shown["trends"]} == {0}


def test_messaging_counts_both_directions(month: Merchant) -> None:
    received = sa.text(
        "INSERT INTO inbound_messages (shop_id, inbox_id, phone, text, intent, received_at)"
        " VALUES (:shop, 1, '+306900000001', 'hi', 'other', now()),"
        " (:shop, 2, '+306900000001', 'hi', 'other', now() - interval '50 days')"
    )
    with unit_of_work(month.shop.id) as session:
        session.execute(received, {"shop": month.shop.id})

    shown = of_month(month, "messaging")

    assert shown["totalMessages"] == 9
    assert shown["byDirection"] == {"inbound": 1, "outbound": 8}
    assert shown["byStatus"] == {"sent": 8, "delivered": 6, "failed": 3}
    assert sum(one["messages"] for one in shown["trends"]) == 8


def test_credits_are_what_was_spent_less_what_came_back(month: Merchant) -> None:
    with unit_of_work(month.shop.id):
        credits.purchase(month.shop.id, 500, key="stripe:1", reason="500 credits")

    shown = of_month(month, "credits")

    assert shown["summary"] == {
        "totalCredits": 1497,
        "usedCredits": 7,
        "remainingCredits": 1490,
        "avgDailyUsage": 0.23,
        "totalPurchases": 1,
    }
    assert shown["usageBreakdown"] == [
        {"type": "campaign", "count": 7, "percentage": 100.0},
        {"type": "manual", "count": 0, "percentage": 0.0},
    ]
    assert {one["date"]: one["creditsUsed"] for one in shown["trends"]}[days_ago(month, 3)] == 2
    assert shown["recentPurchases"][0]["creditsAdded"] == 500
    manual = of_month(month, "credits", "usageType=manual")
    assert manual["summary"]["usedCredits"] == 0
    assert [one["type"] for one in manual["usageBreakdown"]] == ["manual"]


def test_contacts_are_counted_in_groups_that_add_up(merchant: Merchant) -> None:
    a_sent_campaign(merchant, "aaaa", "ddf", name="Reaching")
    build_contacts.a_contact(merchant.shop, consent="unknown", gender="female", birth_date="1990-02-03")
    build_contacts.a_contact(merchant.shop, consent="opted_out", gender="male")

    shown = of_month(merchant, "contacts")

    assert shown["summary"] == {
        "totalContacts": 6,
        "optedInContacts": 4,
        "optedOutContacts": 1,
        "consentRate": 66.7,
        "birthdayContacts": 1,
        "recentContacts": 6,
        "engagedContacts": 2,
        "engagementRate": 33.3,
    }
    assert {one["gender"]: one["count"] for one in shown["genderDistribution"]} == {
        "male": 1,
        "female": 1,
        "other": 0,
        "unknown": 4,
    }
    assert shown["consentBreakdown"] == {"opted_in": 4, "opted_out": 1, "unknown": 1}


def test_a_day_ends_at_midnight_in_the_shop(merchant: Merchant) -> None:
    a_sent_campaign(merchant, "a", at=local(merchant, 2, time(23, 59)), name="Late")
    a_sent_campaign(merchant, "aa", at=local(merchant, 1, time(0, 0)), name="Early")

    trends = {one["date"]: one["messages"] for one in of_month(merchant, "messaging")["trends"]}

    assert (trends[days_ago(merchant, 2)], trends[days_ago(merchant, 1)]) == (1, 2)


def test_a_window_may_have_one_bound_or_two(month: Merchant) -> None:
    both = of_month(month, "messaging", f"from={days_ago(month, 3)}&to={days_ago(month, 3)}")
    only_from = of_month(month, "messaging", f"from={days_ago(month, 45)}")
    only_to = of_month(month, "messaging", f"to={days_ago(month, 4)}")
    instants = f"from={quote(noon(month, 3).isoformat())}&to={noon(month, 3).isoformat()}"

    assert (both["byStatus"]["sent"], both["dateRange"]["window"]) == (3, "1d")
    assert only_from["byStatus"]["sent"] == 11
    assert (only_to["byStatus"]["sent"], only_to["dateRange"]["window"]) == (0, "30d")
    assert of_month(month, "messaging", instants)["trends"] == both["trends"]


def test_a_day_when_the_clocks_change_is_one_day(merchant: Merchant) -> None:
    shown = of_month(merchant, "messaging", "from=2026-03-28&to=2026-03-30")  # Athens: 29 March has 23 hours

    assert [one["date"] for one in shown["trends"]] == ["2026-03-28", "2026-03-29", "2026-03-30"]
    assert shown["dateRange"] == {
        "from": "2026-03-27T22:00:00.000Z",
        "to": "2026-03-30T20:59:59.999Z",
        "window": "3d",
    }


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-02-02&to=2026-02-01", "from"),
        ("from=2025-01-01&to=2026-01-02", "from"),
        ("from=9999-12-31", "from"),
        ("to=0001-01-01", "to"),
        ("to=9999-12-31T23:59:59-23:59", "to"),
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("to=12", "to"),
    ],
)
@pytest.mark.parametrize("report", REPORTS)
def test_a_window_that_makes_no_sense_is_refused(
    merchant: Merchant, report: str, query: str, field: str
) -> None:
    assert merchant.fault("GET", f"/reports/{report}?{query}") == field


def test_366_days_are_one_window(merchant: Merchant) -> None:
    shown = of_month(merchant, "messaging", "from=2025-01-01&to=2026-01-01")

    assert len(shown["trends"]) == 366


@pytest.mark.parametrize("report", [*REPORTS, "kpis"])
def test_a_report_shows_strangers_nothing(month: Merchant, stranger: Merchant, report: str) -> None:
    empty = a_merchant(month.client).data("GET", f"/reports/{report}")

    assert stranger.data("GET", f"/reports/{report}") == empty


@pytest.mark.parametrize("report", [*REPORTS, "kpis"])
def test_a_report_costs_the_same_however_much_there_is(
    app: Flask, client: FlaskClient, month: Merchant, report: str
) -> None:
    small = a_merchant(client)
    a_sent_campaign(small, "a")

    with statements(app) as few:
        small.data("GET", f"/reports/{report}")
    with statements(app) as many:
        month.data("GET", f"/reports/{report}")

    assert len(few) == len(many)
