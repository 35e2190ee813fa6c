"""The numbers of a campaign under way and after it, and what can be done about its failures."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.campaigns.service import states, sweeping
from app.core.database import db
from app.core.uow import across_shops, unit_of_work
from app.messaging.provider import CallResult, Deferred
from app.messaging.service import sending as senders
from app.messaging.service.reports import ReportRow, record_reports
from tests import build_contacts
from tests.build_campaigns import Merchant, a_merchant, answer, rewrite, statements, unsubscribe


def a_sending_campaign(merchant: Merchant, people: int) -> str:
    build_contacts.contacts(merchant.shop, people)
    campaign = merchant.a_campaign()
    merchant.data("POST", f"/campaigns/{campaign}/enqueue")
    return campaign


def report(merchant: Merchant, statuses: list[str]) -> None:
    """Let the carrier report on the accepted messages, in their order."""
    accepted = [message for message in merchant.messages() if message.provider_message_id]
    with across_shops("reports"):
        record_reports(
            [
                ReportRow(one.provider_message_id, status)
                for one, status in zip(accepted, statuses, strict=False)
            ]
        )


def asked(merchant: Merchant, campaign: str, what: str) -> Any:
    return merchant.data("GET", f"/campaigns/{campaign}/{what}")


@pytest.fixture
def half_way(merchant: Merchant) -> tuple[Merchant, str]:
    """Ten people: 3 delivered, 1 undelivered, 2 accepted, 2 refused, 1 unknown, 1 opted out in time."""
    build_contacts.contacts(merchant.shop, 9)
    leaver = build_contacts.a_contact(merchant.shop)
    campaign = merchant.a_campaign()
    merchant.data("POST", f"/campaigns/{campaign}/enqueue")
    build_contacts.a_suppression(merchant.shop, leaver.phone)
    answer(merchant, "aaaaaarru")
    report(merchant, ["delivered", "delivered", "delivered", "failed"])
    return merchant, campaign


def test_metrics_in_full(half_way: tuple[Merchant, str]) -> None:
    merchant, campaign = half_way

    assert asked(merchant, campaign, "metrics") == {
        "total": 10,
        "totalRecipients": 10,
        "sent": 6,
        "accepted": 6,
        "delivered": 3,
        "failed": 3,
        "pendingDelivery": 2,
        "totals": {"recipients": 10, "accepted": 6, "sent": 6, "delivered": 3, "failed": 3},
        "delivery": {"pendingDelivery": 2, "delivered": 3, "failedDelivery": 3},
        "sentPercentage": 60.0,
        "failedPercentage": 30.0,
        "deliveredPercentage": 30.0,
        "deliveryRate": 50.0,
        "clicks": 0,
        "unsubscribes": 0,
        "totalSent": 6,
        "totalDelivered": 3,
        "totalFailed": 3,
        "totalProcessed": 6,
        "totalClicked": 0,
        "sourceOfTruth": "mitto",
    }


def test_status_says_the_same_at_every_level(half_way: tuple[Merchant, str]) -> None:
    merchant, campaign = half_way

    said = asked(merchant, campaign, "status")

    assert {key: said[key] for key in ("status", "queued", "processed", "sent", "failed")} == {
        "status": "sending",
        "queued": 1,
        "processed": 6,
        "sent": 6,
        "failed": 3,
    }
    assert said["metrics"] == {"queued": 1, "success": 6, "processed": 6, "failed": 3}
    inner = said["campaign"]
    assert (inner["id"], inner["total"], inner["sent"], inner["failed"], inner["processed"]) == (
        campaign,
        10,
        6,
        3,
        6,
    )
    canonical = said["canonical"]
    assert (canonical["status"], canonical["statusRaw"], canonical["finishedAt"]) == (
        "sending",
        "sending",
        None,
    )
    assert canonical["totals"]["accepted"] == 6 and canonical["delivery"]["delivered"] == 3


def test_progress_moves_with_acceptance_and_is_whole_only_when_nothing_waits(
    half_way: tuple[Merchant, str],
) -> None:
    merchant, campaign = half_way

    said = asked(merchant, campaign, "progress")

    assert (said["progress"], said["percentage"], said["pending"], said["processed"]) == (90, 90, 1, 6)
    assert (said["total"], said["sent"], said["accepted"], said["failed"], said["pendingDelivery"]) == (
        10,
        6,
        6,
        3,
        2,
    )


def test_the_object_itself_carries_the_numbers(half_way: tuple[Merchant, str]) -> None:
    merchant, campaign = half_way

    shown = merchant.show(campaign)

    assert (shown["recipientCount"], shown["sentCount"], shown["deliveredCount"], shown["failedCount"]) == (
        10,
        6,
        3,
        3,
    )
    assert shown["totals"] == {"recipients": 10, "accepted": 6, "sent": 6, "delivered": 3, "failed": 3}


def test_a_draft_has_numbers_too(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 4)
    campaign = merchant.a_campaign()

    metrics, progress = asked(merchant, campaign, "metrics"), asked(merchant, campaign, "progress")

    assert (metrics["total"], metrics["sent"], metrics["deliveryRate"], metrics["sentPercentage"]) == (
        4,
        0,
        0.0,
        0.0,
    )
    assert (progress["total"], progress["pending"], progress["percentage"]) == (4, 0, 0)
    assert asked(merchant, campaign, "failed-recipients")["recipients"] == []


def test_polling_a_status_is_a_handful_of_statements(app: Flask, half_way: tuple[Merchant, str]) -> None:
    merchant, campaign = half_way
    db.session.remove()

    with statements(app) as seen:
        asked(merchant, campaign, "status")

    assert len(seen) <= 7


def test_clicks_and_opt_outs_are_shown(half_way: tuple[Merchant, str]) -> None:
    merchant, campaign = half_way
    with unit_of_work(merchant.shop.id) as session:
        session.connection().exec_driver_sql("UPDATE message_runs SET clicked = 2, opted_out = 1")

    metrics = asked(merchant, campaign, "metrics")

    assert (metrics["clicks"], metrics["totalClicked"], metrics["unsubscribes"]) == (2, 2, 1)


# --- failures


def test_failed_recipients_are_listed_newest_first_with_their_contact(half_way: tuple[Merchant, str]) -> None:
    merchant, campaign = half_way

    listed = asked(merchant, campaign, "failed-recipients")

    assert (listed["campaignId"], listed["failedCount"], listed["pagination"]["total"]) == (campaign, 3, 3)
    ids = [int(one["id"]) for one in listed["recipients"]]
    assert len(ids) == 3 and ids == sorted(ids, reverse=True)
    first = listed["recipients"][0]
    assert (
        first["error"] == "blocked"
        and first["failedAt"].endswith("Z")
        and first["phoneE164"].startswith("+30")
    )
    assert first["contact"]["firstName"] == "Maria" and isinstance(first["contact"]["id"], str)


def test_failed_recipients_come_in_pages_of_a_hundred_and_at_most_five_hundred(
    half_way: tuple[Merchant, str],
) -> None:
    merchant, campaign = half_way

    assert asked(merchant, campaign, "failed-recipients")["pagination"]["pageSize"] == 100
    second = asked(merchant, campaign, "failed-recipients?page=2&pageSize=2")
    assert len(second["recipients"]) == 1 and second["pagination"]["hasPrevPage"] is True
    assert asked(merchant, campaign, "failed-recipients?pageSize=500")["pagination"]["pageSize"] == 500
    path = f"/campaigns/{campaign}/failed-recipients"
    assert merchant.refused("GET", f"{path}?pageSize=501") == (400, "VALIDATION_ERROR")


def test_retrying_reopens_only_what_was_refused_before_acceptance(half_way: tuple[Merchant, str]) -> None:
    merchant, campaign = half_way
    held = merchant.balance().held

    retried = merchant.data("POST", f"/campaigns/{campaign}/retry-failed", Idempotency_Key="k")

    assert (retried["ok"], retried["retried"], retried["enqueuedJobs"], retried["campaignId"]) == (
        True,
        2,
        2,
        campaign,
    )
    assert retried["message"]
    states = [message.state for message in merchant.messages()]
    assert (states.count("pending"), states.count("undelivered"), states.count("delivered")) == (2, 1, 3)
    assert merchant.balance().held == held + 2
    assert merchant.data("POST", f"/campaigns/{campaign}/retry-failed", Idempotency_Key="k") == retried
    assert merchant.data("POST", f"/campaigns/{campaign}/retry-failed")["retried"] == 0


def test_a_finished_campaign_is_sending_again_while_its_failures_are_retried(merchant: Merchant) -> None:
    campaign = a_sending_campaign(merchant, 2)
    answer(merchant, "rr")
    states.finish(merchant.shop.id, int(campaign))
    assert merchant.show(campaign)["status"] == "failed"

    merchant.data("POST", f"/campaigns/{campaign}/retry-failed")
    assert (merchant.show(campaign)["status"], merchant.show(campaign)["finishedAt"]) == ("sending", None)

    answer(merchant, "aa")
    states.finish(merchant.shop.id, int(campaign))
    assert merchant.show(campaign)["status"] == "completed"
    assert merchant.data("POST", f"/campaigns/{campaign}/retry-failed")["retried"] == 0
    assert merchant.show(campaign)["status"] == "completed"


def test_retrying_is_refused_as_sending_would_be(app: Flask) -> None:
    merchant = a_merchant(app.test_client(), wallet=2)
    campaign = a_sending_campaign(merchant, 2)
    path = f"/campaigns/{campaign}/retry-failed"
    answer(merchant, "rr")
    build_contacts.contacts(merchant.shop, 0)
    other = merchant.a_campaign()
    merchant.data("POST", f"/campaigns/{other}/enqueue")

    assert merchant.refused("POST", path) == (402, "INSUFFICIENT_CREDITS")
    unsubscribe(merchant)
    assert merchant.refused("POST", path) == (403, "SUBSCRIPTION_REQUIRED")
    rewrite(merchant, campaign, status="cancelled")
    assert merchant.refused("POST", path) == (409, "INVALID_STATUS")
    assert merchant.refused("POST", f"/campaigns/{merchant.a_campaign()}/retry-failed") == (
        409,
        "INVALID_STATUS",
    )


def test_a_retry_does_not_text_who_has_opted_out_meanwhile(merchant: Merchant) -> None:
    campaign = a_sending_campaign(merchant, 2)
    answer(merchant, "rr")
    build_contacts.a_suppression(merchant.shop, merchant.messages()[0].phone)

    assert merchant.data("POST", f"/campaigns/{campaign}/retry-failed")["retried"] == 1


# --- looking after


def test_reconciling_closes_what_has_nothing_left_to_send(merchant: Merchant) -> None:
    campaign = a_sending_campaign(merchant, 2)
    answer(merchant, "ar")

    done = merchant.data("POST", f"/campaigns/{campaign}/reconcile", {"staleMinutes": 5})

    assert (done["ok"], done["action"], done["finalStatus"], done["status"]) == (
        True,
        "finalized",
        "completed",
        "completed",
    )
    assert (done["canonical"]["statusRaw"], done["pendingRecipientIds"]) == ("completed", [])
    assert merchant.show(campaign)["finishedAt"]


def test_reconciling_wakes_the_senders_of_what_waits(merchant: Merchant) -> None:
    campaign = a_sending_campaign(merchant, 2)

    done = merchant.data("POST", f"/campaigns/{campaign}/reconcile")

    assert (done["action"], done["status"], done["enqueuedJobs"], done["stale"]) == (
        "re_enqueued",
        "sending",
        2,
        False,
    )
    assert done["pendingRecipientIds"] == [str(message.id) for message in merchant.messages()]


@pytest.mark.parametrize("status", ["draft", "completed", "cancelled", "paused"])
def test_there_is_nothing_to_reconcile_unless_it_is_sending(merchant: Merchant, status: str) -> None:
    campaign = merchant.a_campaign()
    rewrite(merchant, campaign, status=status)

    done = merchant.data("POST", f"/campaigns/{campaign}/reconcile")

    assert (done["action"], merchant.show(campaign)["statusRaw"]) == ("noop", status)


def test_updating_the_status_gives_the_numbers_as_they_are(half_way: tuple[Merchant, str]) -> None:
    merchant, campaign = half_way

    told = merchant.data("POST", f"/campaigns/{campaign}/update-status")

    assert told == {"campaignId": campaign, "updated": 6, "total": 10, "failed": 3}


def test_the_queue_is_the_shops_own(half_way: tuple[Merchant, str], stranger: Merchant) -> None:
    merchant, _ = half_way
    a_sending_campaign(merchant, 2)

    stats = merchant.data("GET", "/campaigns/queue/stats")

    assert stats["counts"] == {
        "waiting": 11,
        "active": 0,
        "completed": 6,
        "delayed": 0,
        "failed": 2,
        "total": 19,
    }
    assert stats["processing"] == {"jobsPerHour": 1, "recentCompleted": 1, "recentFailed": 0}
    assert stats["health"] == {"status": "processing", "hasFailures": False}
    idle = stranger.data("GET", "/campaigns/queue/stats")
    assert (idle["counts"]["total"], idle["health"]["status"]) == (0, "idle")


def test_what_a_carrier_puts_off_after_a_cancel_never_leaves_and_costs_nothing(merchant: Merchant) -> None:
    campaign = a_sending_campaign(merchant, 2)
    run_id = merchant.runs()[0].id
    batch = senders.claim(merchant.shop.id, run_id)
    assert batch is not None
    merchant.do("cancel", campaign)
    senders.settle(merchant.shop.id, run_id, batch, CallResult([Deferred("busy", 0.0)] * 2, "busy"))

    sweeping.skip_stragglers()
    sweeping.skip_stragglers()

    assert [message.state for message in merchant.messages()] == ["skipped", "skipped"]
    assert (merchant.balance().wallet, merchant.balance().held) == (1000, 0)
    assert merchant.data("POST", f"/campaigns/{campaign}/enqueue")["queued"] == 2
