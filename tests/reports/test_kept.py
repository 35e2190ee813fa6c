"""Dashboard and reports are kept, and nothing that anybody does is missing from them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta

import pytest
import redis
from flask import Flask

from app.campaigns.service import states, sweeping
from app.core.clock import now
from app.core.uow import across_shops, unit_of_work
from app.credits import service as credits
from app.messaging.service import replies
from app.messaging.service.links import FoundLink, count_click
from app.messaging.service.replies import Answered, ReadReply
from app.messaging.service.reports import ReportRow, record_reports
from tests import build_contacts
from tests.build_campaigns import Merchant, answer, later, rewrite
from tests.reports.history import a_sent_campaign

PATHS = (
    "/dashboard",
    "/dashboard/overview",
    "/dashboard/quick-stats",
    "/reports/overview",
    "/reports/kpis",
    "/reports/campaigns?limit=2",
    "/reports/automations",
    "/reports/messaging",
    "/reports/credits?usageType=campaign",
    "/reports/contacts?from=2026-01-01&to=2026-01-31",
)
NEVER_KEPT = (
    "/billing/balance",
    "/campaigns",
    "/campaigns/stats/summary",
    "/campaigns/{campaign}/status",
    "/campaigns/{campaign}/progress",
    "/campaigns/{campaign}/metrics",
    "/reports/export?type=campaigns&format=json",
    "/reports/export?type=campaigns&format=csv&download=true",
)
Act = Callable[[Merchant, str], object]


def kept(merchant: Merchant, path: str) -> str:
    return merchant.call("GET", path).headers["X-Cache"]


def look(merchant: Merchant, campaign: str) -> list[str]:
    """Look at everything; what of it was kept."""
    return [kept(merchant, path) for path in (*PATHS, f"/reports/campaigns/{campaign}")]


def report(merchant: Merchant, _campaign: str) -> None:
    accepted = next(one for one in merchant.messages() if one.provider_message_id)
    with across_shops("a report of a test"):
        record_reports([ReportRow(str(accepted.provider_message_id), "delivered")])


def click(merchant: Merchant, _campaign: str) -> None:
    message = merchant.messages()[0]
    count_click(
        FoundLink(merchant.shop.id, message.id, message.run_id, None, message.phone, 1, "https://a.example")
    )


def reply(merchant: Merchant, _campaign: str) -> None:
    message = merchant.messages()[0]
    said = ReadReply(message.phone, None, "Hello", "other", needs_review=False)
    with across_shops("a reply of a test"):
        replies.store_reply(1, said, Answered(merchant.shop.id, None, message.run_id, message.id))


def send_another(merchant: Merchant, _campaign: str) -> str:
    another = merchant.a_campaign(name="Another")
    merchant.data("POST", f"/campaigns/{another}/enqueue")
    return another


def rename(merchant: Merchant, campaign: str) -> None:
    another = merchant.a_campaign(name="Old name")
    look(merchant, campaign)
    merchant.data("PUT", f"/campaigns/{another}", {"name": "New name"})


def answer_another(merchant: Merchant, campaign: str) -> None:
    send_another(merchant, campaign)
    look(merchant, campaign)
    answer(merchant, "a")


def finish_another(merchant: Merchant, campaign: str) -> None:
    another = send_another(merchant, campaign)
    answer(merchant, "a")
    look(merchant, campaign)
    states.finish(merchant.shop.id, int(another))


def cancel_another(merchant: Merchant, campaign: str) -> None:
    another = send_another(merchant, campaign)
    look(merchant, campaign)
    merchant.data("POST", f"/campaigns/{another}/cancel")


def pay(merchant: Merchant, _campaign: str) -> None:
    with unit_of_work(merchant.shop.id):
        credits.purchase(merchant.shop.id, 50, key="stripe:1", reason="for a test")


def miss_its_time(merchant: Merchant, campaign: str) -> None:
    late = merchant.a_campaign(name="Late", scheduleType="scheduled", scheduleAt=later(hours=1))
    rewrite(merchant, late, schedule_at=now() - timedelta(days=3))
    look(merchant, campaign)
    sweeping.start_due()


ACTS: dict[str, Act] = {
    "a campaign is written": lambda merchant, _: merchant.a_campaign(name="One more"),
    "a campaign is renamed": rename,
    "a campaign is sent": send_another,
    "a campaign misses its time": miss_its_time,
    "a batch is answered": answer_another,
    "a campaign is finished": finish_another,
    "a campaign is cancelled": cancel_another,
    "a text arrives": report,
    "a link is opened": click,
    "somebody replies": reply,
    "credits are bought": pay,
    "a contact is written": lambda merchant, _: merchant.data(
        "POST", "/contacts", {"phoneE164": "+306900000099", "smsConsent": "opted_in"}
    ),
    "the clock is another": lambda merchant, _: merchant.data(
        "PUT", "/settings", {"timezone": "America/New_York"}
    ),
}


@pytest.mark.parametrize("path", PATHS)
def test_it_is_kept_for_its_shop_alone(merchant: Merchant, stranger: Merchant, path: str):
    a_sent_campaign(merchant, "aa")
    theirs = merchant.data("GET", path)

    assert kept(merchant, path) == "hit"
    assert merchant.data("GET", path) == theirs
    assert kept(stranger, path) == "miss"
    # There are no automations yet: nobody's report about them differs.
    assert stranger.data("GET", path) != theirs or path == "/reports/automations"


def test_a_campaign_s_report_is_kept_by_campaign(merchant: Merchant, stranger: Merchant):
    one, another = a_sent_campaign(merchant, "a"), a_sent_campaign(merchant, "a", name="Another")

    assert [kept(merchant, f"/reports/campaigns/{id_}") for id_ in (one, one, another)] == [
        "miss",
        "hit",
        "miss",
    ]
    assert stranger.call("GET", f"/reports/campaigns/{one}").status_code == 404


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_it_is_new_as_soon_as(merchant: Merchant, act: Act):
    campaign = a_sent_campaign(merchant, "a")
    look(merchant, campaign)
    assert set(look(merchant, campaign)) == {"hit"}

    act(merchant, campaign)

    assert set(look(merchant, campaign)) == {"miss"}


def test_what_is_polled_is_never_kept(merchant: Merchant):
    campaign = a_sent_campaign(merchant, "a")

    for path in NEVER_KEPT:
        answer = merchant.call("GET", path.format(campaign=campaign))
        assert (answer.status_code, answer.headers.get("X-Cache")) == (200, None), path


def test_every_step_of_a_sending_shows_at_once(merchant: Merchant):
    build_contacts.contacts(merchant.shop, 2)
    campaign = merchant.a_campaign()

    def shown() -> tuple[int, int, int, int]:
        return (
            merchant.data("GET", "/dashboard")["credits"],
            merchant.data("GET", "/dashboard")["totalMessagesSent"],
            merchant.data("GET", "/billing/balance")["available"],
            merchant.data("GET", f"/campaigns/{campaign}/status")["metrics"]["success"],
        )

    assert shown() == (1000, 0, 1000, 0)
    merchant.data("POST", f"/campaigns/{campaign}/enqueue")
    assert shown() == (998, 0, 998, 0)
    answer(merchant, "ar")
    assert shown() == (999, 1, 999, 1)


def test_a_client_that_has_the_dashboard_gets_304(merchant: Merchant):
    etag = merchant.call("GET", "/dashboard").headers["ETag"]

    again = merchant.client.get("/dashboard", headers={**merchant.headers, "If-None-Match": etag})

    assert (again.status_code, again.data) == (304, b"")


def test_without_redis_it_is_slower_and_right(app: Flask, merchant: Merchant):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        nowhere = redis.Redis.from_url(f"redis://127.0.0.1:{nobody.getsockname()[1]}/0")
    shelf = app.extensions["astronote.cache"]
    here, shelf.redis = shelf.redis, nowhere
    try:
        before = merchant.data("GET", "/dashboard")["totalMessagesSent"]
        a_sent_campaign(merchant, "aa")
        answers = [merchant.call("GET", path) for path in PATHS]
        after = merchant.data("GET", "/dashboard")["totalMessagesSent"]
    finally:
        shelf.redis = here

    assert (before, after) == (0, 2)
    assert {answer.headers["X-Cache"] for answer in answers} == {"miss"}
    assert merchant.data("GET", "/dashboard")["totalMessagesSent"] == 2
