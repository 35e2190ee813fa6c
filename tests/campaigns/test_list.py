"""Finding campaigns, counting them, and at what price in statements."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from app.core.database import db
from tests import build_contacts
from tests.build_campaigns import Merchant, answer, rewrite, statements


def names(page: Any) -> list[str]:
    return [one["name"] for one in page["campaigns"]]


def test_an_empty_list_is_a_list(merchant: Merchant) -> None:
    page = merchant.data("GET", "/campaigns?")

    assert page["items"] == page["campaigns"] == []
    assert page["pagination"] == {
        "page": 1,
        "pageSize": 20,
        "total": 0,
        "totalPages": 0,
        "hasNextPage": False,
        "hasPrevPage": False,
    }


def test_the_newest_come_first_page_by_page(merchant: Merchant, stranger: Merchant) -> None:
    for name in "abcde":
        merchant.a_campaign(name=name)
    stranger.a_campaign(name="not mine")

    assert names(merchant.data("GET", "/campaigns?pageSize=2")) == ["e", "d"]
    last = merchant.data("GET", "/campaigns?page=3&limit=2")
    assert (names(last), last["total"], last["pagination"]["hasNextPage"]) == (["a"], 5, False)
    assert names(merchant.data("GET", "/campaigns?page=9&pageSize=2")) == []


@pytest.mark.parametrize("query", ["page=0", "pageSize=101", "page=x", "sortBy=price", "sortOrder=up"])
def test_a_bad_query_is_refused(merchant: Merchant, query: str) -> None:
    assert merchant.refused("GET", f"/campaigns?{query}") == (400, "VALIDATION_ERROR")


def test_search_looks_into_names_and_texts_under_either_name(merchant: Merchant) -> None:
    merchant.a_campaign(name="Black Friday", message="50% off")
    merchant.a_campaign(name="Χειμώνας", message="Καλά Χριστούγεννα")
    merchant.a_campaign(name="Plain", message="Hello_world")

    def found(**query: str) -> list[str]:
        answered = merchant.client.get("/campaigns", query_string=query, headers=merchant.headers)
        return names(answered.json["data"])

    assert found(search="FRIDAY") == found(q="friday") == ["Black Friday"]
    assert found(search="καλά") == ["Χειμώνας"]
    assert found(search="%") == ["Black Friday"]
    assert found(search="_") == ["Plain"]
    assert found(search="", q="") == ["Plain", "Χειμώνας", "Black Friday"]


def test_sorting_by_name_and_by_time(merchant: Merchant) -> None:
    merchant.a_campaign(name="b", scheduleType="scheduled", scheduleAt="2031-01-02T10:00")
    merchant.a_campaign(name="a")
    merchant.a_campaign(name="c", scheduleType="scheduled", scheduleAt="2031-01-01T10:00")

    assert names(merchant.data("GET", "/campaigns?sortBy=name&sortOrder=asc")) == ["a", "b", "c"]
    assert names(merchant.data("GET", "/campaigns?sortBy=scheduleAt&sortOrder=asc")) == ["c", "b", "a"]
    assert names(merchant.data("GET", "/campaigns?sortBy=scheduleAt&sortOrder=desc")) == ["b", "c", "a"]


def test_completed_and_sent_are_one_filter_and_a_typo_is_none(merchant: Merchant) -> None:
    rewrite(merchant, merchant.a_campaign(name="done"), status="completed")
    merchant.a_campaign(name="draft")

    for word in ("completed", "sent"):
        assert names(merchant.data("GET", f"/campaigns?status={word}")) == ["done"]
    assert names(merchant.data("GET", "/campaigns?status=paused")) == []
    assert names(merchant.data("GET", "/campaigns?status=")) == ["draft", "done"]
    assert merchant.refused("GET", "/campaigns?status=finished") == (400, "INVALID_FILTER")


def test_the_summary_counts_completed_under_both_words(merchant: Merchant, stranger: Merchant) -> None:
    for status in ("completed", "completed", "failed", "paused"):
        rewrite(merchant, merchant.a_campaign(), status=status)
    for _ in range(3):
        merchant.a_campaign()
    stranger.a_campaign()

    summary = merchant.data("GET", "/campaigns/stats/summary")

    assert summary["total"] == summary["totalCampaigns"] == 7
    assert summary["byStatus"] == {
        "draft": 3,
        "scheduled": 0,
        "sending": 0,
        "paused": 1,
        "completed": 2,
        "sent": 2,
        "failed": 1,
        "cancelled": 0,
    }
    assert summary["stats"] == {"total": 7, "byStatus": summary["byStatus"]}
    assert len(summary["recent"]) == 5 and summary["recent"] == summary["recentCampaigns"]


def test_drafts_show_whom_they_would_reach_and_sent_ones_whom_they_reached(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)
    build_contacts.a_contact(merchant.shop, gender="male")
    sent = merchant.a_campaign(name="sent")
    merchant.data("POST", f"/campaigns/{sent}/enqueue")
    build_contacts.contacts(merchant.shop, 2)
    merchant.a_campaign(name="men", audience="men")
    merchant.a_campaign(name="all")

    shown = {one["name"]: one["recipientCount"] for one in merchant.data("GET", "/campaigns")["items"]}

    assert shown == {"sent": 4, "men": 1, "all": 6}


def test_the_list_takes_as_many_statements_for_fifty_campaigns_as_for_three(
    app: Flask, merchant: Merchant
) -> None:
    build_contacts.contacts(merchant.shop, 2)
    segment = merchant.data("POST", "/audiences/segments", {"name": "VIP", "contactIds": []})["id"]

    def three_kinds() -> None:
        merchant.a_campaign(audience="women")
        merchant.a_campaign(audience=f"segment:{segment}")
        merchant.data("POST", f"/campaigns/{merchant.a_campaign()}/enqueue")

    def cost(path: str) -> int:
        db.session.remove()
        with statements(app) as seen:
            merchant.data("GET", path)
        return len(seen)

    three_kinds()
    few, few_summary = cost("/campaigns?pageSize=100"), cost("/campaigns/stats/summary")
    for _ in range(15):
        three_kinds()

    assert cost("/campaigns?pageSize=100") == few <= 12
    assert cost("/campaigns/stats/summary") == few_summary <= 12


def test_a_finished_campaign_may_be_called_sent_by_configuration(
    app: Flask, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_contacts.contacts(merchant.shop, 1)
    campaign = merchant.a_campaign()
    merchant.data("POST", f"/campaigns/{campaign}/enqueue")
    answer(merchant, "a")
    merchant.data("POST", f"/campaigns/{campaign}/reconcile")
    assert (merchant.show(campaign)["status"], merchant.show(campaign)["statusRaw"]) == (
        "completed",
        "completed",
    )

    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], campaign_done_status="sent"))

    shown = merchant.show(campaign)
    assert (shown["status"], shown["statusRaw"]) == ("sent", "completed")
    assert merchant.data("GET", f"/campaigns/{campaign}/progress")["status"] == "sent"
    assert merchant.data("GET", f"/campaigns/{campaign}/status")["canonical"]["statusRaw"] == "completed"
