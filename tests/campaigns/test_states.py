"""The status machine: what may become what, and what may not."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.campaigns.service import sweeping
from app.core.database import db
from tests import build_contacts
from tests.build_campaigns import Merchant, answer, later, rewrite

STATUSES = ("draft", "scheduled", "sending", "paused", "completed", "failed", "cancelled")
ACTIONS: dict[str, tuple[str, str, Any, dict[str, str]]] = {
    "enqueue": (
        "POST",
        "/enqueue",
        None,
        {"draft": "sending", "scheduled": "sending", "paused": "sending", "cancelled": "sending"},
    ),
    "send": (
        "POST",
        "/send",
        {},
        {"draft": "sending", "scheduled": "sending", "paused": "sending", "cancelled": "sending"},
    ),
    "resume": ("POST", "/resume", None, {"paused": "sending"}),
    "pause": ("POST", "/pause", None, {"sending": "paused"}),
    "cancel": (
        "POST",
        "/cancel",
        {},
        {"sending": "cancelled", "scheduled": "cancelled", "paused": "cancelled"},
    ),
    "schedule": (
        "PUT",
        "/schedule",
        {"scheduleAt": "2031-01-15T10:00"},
        {"draft": "scheduled", "scheduled": "scheduled", "cancelled": "scheduled"},
    ),
    "edit": ("PUT", "", {"message": "New"}, {"draft": "draft", "scheduled": "scheduled"}),
    "edit to scheduled": (
        "PUT",
        "",
        {"scheduleType": "scheduled", "scheduleAt": "2031-01-15T10:00"},
        {"draft": "scheduled", "scheduled": "scheduled"},
    ),
    "edit to immediate": (
        "PUT",
        "",
        {"scheduleType": "immediate"},
        {"draft": "draft", "scheduled": "draft"},
    ),
    "prepare": ("POST", "/prepare", None, {"draft": "draft"}),
    "delete": (
        "DELETE",
        "",
        None,
        {"draft": "", "scheduled": "", "cancelled": "", "failed": "", "paused": ""},
    ),
}


def a_campaign_that_is(merchant: Merchant, status: str) -> str:
    campaign = merchant.a_campaign()
    rewrite(merchant, campaign, status=status, schedule_at=datetime.now(UTC) + timedelta(days=1))
    return campaign


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_from_every_status(merchant: Merchant, action: str, status: str) -> None:
    build_contacts.contacts(merchant.shop, 1)
    campaign = a_campaign_that_is(merchant, status)
    method, path, body, becomes = ACTIONS[action]

    done = merchant.call(method, f"/campaigns/{campaign}{path}", body)

    if status not in becomes:
        starts = action in {"enqueue", "send", "resume"}
        refusal = "ALREADY_SENDING" if starts and status == "sending" else "INVALID_STATUS"
        assert (done.status_code, done.json["code"], done.json["error"]) == (409, refusal, refusal)
        if refusal == "INVALID_STATUS":
            assert done.json["reason"] == f"invalid_status:{status}"
        assert merchant.show(campaign)["status"] == status
    elif becomes[status]:
        assert done.status_code == 200
        assert merchant.show(campaign)["status"] == becomes[status]
    else:
        assert (done.status_code, done.json["data"]) == (200, None)
        assert merchant.call("GET", f"/campaigns/{campaign}").status_code == 404


def test_a_paused_campaign_with_messages_cannot_be_deleted(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 2)
    campaign = merchant.a_campaign()
    merchant.do("enqueue", campaign)
    merchant.do("pause", campaign)

    assert merchant.refused("DELETE", f"/campaigns/{campaign}") == (409, "INVALID_STATUS")


def test_pausing_stops_the_claims_and_resuming_goes_on(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 2)
    campaign = merchant.a_campaign()
    merchant.do("enqueue", campaign)

    paused = merchant.do("pause", campaign).json["data"]
    assert paused["status"] == "paused" and not merchant.runs()[0].is_open

    resumed = merchant.do("resume", campaign).json["data"]
    assert resumed["status"] == "sending" and merchant.runs()[0].is_open
    assert (len(merchant.runs()), merchant.balance().held) == (1, 2)


def test_cancelling_gives_the_credits_back_and_says_how_many_were_spared(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)
    campaign = merchant.a_campaign()
    merchant.do("enqueue", campaign)

    cancelled = merchant.do("cancel", campaign, {}).json["data"]

    assert (cancelled["id"], cancelled["campaignId"], cancelled["ok"]) == (campaign, campaign, True)
    assert (cancelled["status"], cancelled["cancelledRecipients"], cancelled["removedJobs"]) == (
        "cancelled",
        3,
        3,
    )
    assert cancelled["finishedAt"]
    assert (merchant.balance().wallet, merchant.balance().held) == (1000, 0)


def test_a_cancelled_campaign_that_is_sent_after_all_reaches_only_those_it_has_not_reached(
    merchant: Merchant,
) -> None:
    build_contacts.contacts(merchant.shop, 3)
    campaign = merchant.a_campaign()
    merchant.do("enqueue", campaign)
    answer(merchant, "add")
    merchant.do("cancel", campaign)

    again = merchant.data("POST", f"/campaigns/{campaign}/enqueue")

    assert again["queued"] == 2
    assert [message.state for message in merchant.messages()].count("sent") == 1
    assert (len(merchant.runs()), merchant.balance().held, merchant.balance().spent) == (1, 2, 1)


def test_a_cancelled_campaign_that_is_scheduled_again_texts_nobody_twice(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)
    campaign = merchant.a_campaign()
    merchant.do("enqueue", campaign)
    answer(merchant, "aur")
    rewrite(merchant, campaign, status="cancelled")
    merchant.call("PUT", f"/campaigns/{campaign}/schedule", {"scheduleAt": later(hours=1)})
    merchant.call("PUT", f"/campaigns/{campaign}", {"message": "Another text"})

    again = merchant.do("enqueue", campaign)

    assert (
        again.json["data"]["queued"] == 1
    )  # the refused one; not the accepted one, nor the one of unknown fate


def test_scheduling_a_cancelled_campaign_makes_a_fresh_sending(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 2)
    campaign = merchant.a_campaign()
    merchant.do("enqueue", campaign)
    merchant.do("cancel", campaign)

    scheduled = merchant.data("PUT", f"/campaigns/{campaign}/schedule", {"scheduleAt": later()})

    assert (scheduled["status"], scheduled["startedAt"], scheduled["finishedAt"]) == ("scheduled", None, None)
    assert (scheduled["recipientCount"], scheduled["totalSent"]) == (2, 0)
    assert merchant.data("POST", f"/campaigns/{campaign}/enqueue")["queued"] == 2
    assert [run.run_no for run in merchant.runs()] == [1, 2]


def test_a_recurring_campaign_is_armed_again_and_keeps_its_numbers(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)
    campaign = merchant.a_campaign(scheduleType="recurring", recurringDays=7)
    sweeping.start_due()
    assert merchant.show(campaign)["status"] == "sending"
    answer(merchant, "a")

    merchant.do("reconcile", campaign)

    shown = merchant.show(campaign)
    assert (shown["status"], shown["totalSent"], shown["recurringDays"]) == ("scheduled", 1, 7)
    assert datetime.fromisoformat(shown["scheduleAt"]) > datetime.now(UTC) + timedelta(days=6)


def test_a_recurring_campaign_cancelled_between_two_sendings_may_still_be_sent(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)
    campaign = merchant.a_campaign(scheduleType="recurring", recurringDays=7)
    sweeping.start_due()
    answer(merchant, "a")
    merchant.do("reconcile", campaign)
    merchant.do("cancel", campaign)

    assert merchant.data("POST", f"/campaigns/{campaign}/enqueue")["queued"] == 1


def test_what_is_due_is_started_and_what_is_not_is_left(merchant: Merchant, stranger: Merchant) -> None:
    for one in (merchant, stranger):
        build_contacts.contacts(one.shop, 1)
    due = merchant.a_campaign(scheduleType="scheduled", scheduleAt=later(seconds=-5))
    theirs = stranger.a_campaign(scheduleType="scheduled", scheduleAt=later(seconds=-5))
    not_yet = merchant.a_campaign(scheduleType="scheduled", scheduleAt=later(minutes=5))

    sweeping.start_due()
    sweeping.start_due()

    assert merchant.show(due)["status"] == stranger.show(theirs)["status"] == "sending"
    assert merchant.show(not_yet)["status"] == "scheduled"
    assert len(merchant.messages()) == len(stranger.messages()) == 1


@pytest.mark.parametrize(
    "meanwhile",
    [
        "schedule_at = now() + interval '1 hour'",
        "status = 'cancelled'",
        "status = 'draft', schedule_at = NULL",
    ],
)
def test_what_its_owner_moves_or_stops_at_the_last_moment_is_not_started(
    app: Flask, merchant: Merchant, owner: sa.Engine, meanwhile: str
) -> None:
    build_contacts.contacts(merchant.shop, 1)
    campaign = merchant.a_campaign(scheduleType="scheduled", scheduleAt=later(seconds=-5))
    db.session.remove()

    def start_due() -> None:
        with app.app_context():
            sweeping.start_due()

    with owner.connect().execution_options(isolation_level="READ COMMITTED") as hand:
        hand.exec_driver_sql("SELECT set_config('app.all_shops', 'on', true)")
        moved = hand.exec_driver_sql(f"UPDATE campaigns SET {meanwhile} WHERE id = {campaign}")
        assert moved.rowcount == 1
        starter = Thread(target=start_due)
        starter.start()
        until_somebody_waits_for_a_lock(owner)
        hand.commit()
    starter.join()

    shown = merchant.show(campaign)
    assert shown["status"] in {"scheduled", "cancelled", "draft"}
    assert (shown["startedAt"], shown["lastEnqueueError"], merchant.messages()) == (None, None, [])


def until_somebody_waits_for_a_lock(owner: sa.Engine) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    give_up = time.monotonic() + 10
    with owner.connect() as connection:
        while not connection.exec_driver_sql(waiting).scalar():
            assert time.monotonic() < give_up


def test_a_due_campaign_that_cannot_start_is_a_draft_again_with_the_reason(merchant: Merchant) -> None:
    campaign = merchant.a_campaign(scheduleType="scheduled", scheduleAt=later(seconds=-5))

    sweeping.start_due()

    shown = merchant.show(campaign)
    assert shown["status"] == "draft"
    assert shown["lastEnqueueError"].startswith("NO_RECIPIENTS: ")


def test_a_campaign_that_missed_its_time_by_a_day_is_not_sent(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)
    campaign = merchant.a_campaign(scheduleType="scheduled", scheduleAt=later())
    rewrite(merchant, campaign, schedule_at=datetime.now(UTC) - timedelta(hours=25))

    sweeping.start_due()

    assert merchant.show(campaign)["status"] == "failed"
    assert merchant.show(campaign)["lastEnqueueError"].startswith("MISSED_SCHEDULE: ")
    assert not merchant.messages()
