"""The shop that `make run` starts with: alive on every page, and true to itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.audit.service import audit
from app.config import Settings
from app.core.database import db
from app.core.uow import across_shops
from app.demo.carrier import LINK
from app.demo.history.plan import DOMAIN, SENDER
from app.demo.history.present import LIVE
from app.demo.history.seeding import Seeded, seed
from app.shops import service as shops
from tests import build

STATUSES = {"draft", "scheduled", "sending", "paused", "completed", "failed", "cancelled"}
COUNTED = (
    *("shops", "subscriptions", "contacts", "consent_events", "suppressions", "contact_imports", "campaigns"),
    *("contact_import_errors", "segments", "segment_members", "ledger_transfers", "credit_holds", "messages"),
    *("message_runs", "run_quarters", "send_attempts", "click_events", "inbound_messages", "webhook_inbox"),
    *("templates", "template_usage", "api_keys", "activity"),
)


@dataclass(frozen=True)
class Shown:
    """The seeded shop through a signed-in client's eyes."""

    seeded: Seeded
    client: FlaskClient
    headers: dict[str, str]
    phones: Path

    def get(self, path: str) -> Any:
        answer = self.client.get(path, headers=self.headers)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:200]}"
        return answer.json["data"]

    def campaign(self, name: str) -> dict[str, Any]:
        return next(one for one in self.get("/campaigns?pageSize=100")["campaigns"] if one["name"] == name)


@pytest.fixture(scope="module")
def shown(
    migrated: Flask, owner: sa.Engine, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shown]:
    build.empty_tables(owner)
    redis.Redis.from_url(settings.redis_url).flushdb()
    phones = tmp_path_factory.mktemp("carrier") / "sandbox.db"
    with migrated.app_context():
        seeded = seed(phones=phones)
        headers = build.auth(shops.shop_by_domain(DOMAIN))
        yield Shown(seeded, migrated.test_client(), headers, phones)
        db.session.remove()


def test_the_books_balance(shown: Shown):
    wrong = {one.check.name: one.examples for one in audit() if one.differences}

    assert wrong == {}


def test_it_has_a_months_worth_of_everything(shown: Shown):
    rows = count_rows()

    assert [table for table, count in rows.items() if not count] == []
    assert 4_500 <= rows["contacts"] <= 5_500
    assert 25_000 <= rows["messages"] <= 40_000
    assert shown.seeded.is_new and shown.seeded.seconds < 60


def test_seeding_again_changes_nothing(shown: Shown):
    before = count_rows(), shown.get("/dashboard"), texts_on_phones(shown.phones)

    again = seed(phones=shown.phones)

    assert not again.is_new and again.shop_id == shown.seeded.shop_id
    assert (count_rows(), shown.get("/dashboard"), texts_on_phones(shown.phones)) == before


def test_nothing_has_happened_tomorrow(shown: Shown):
    moments = {
        "contacts": "greatest(created_at, updated_at, consent_at, last_order_at)",
        "messages": "greatest(created_at, sent_at, updated_at)",
        "run_quarters": "quarter_at",
        "click_events": "clicked_at",
        "ledger_transfers": "created_at",
        "consent_events": "at",
        "inbound_messages": "received_at",
        "activity": "at",
    }
    with across_shops("a test counts") as session:
        late = {
            table: session.execute(
                sa.text(f"SELECT count(*) FROM {table} WHERE {moment} > now()")
            ).scalar_one()
            for table, moment in moments.items()
        }

    assert {table: count for table, count in late.items() if count} == {}


def test_every_campaign_state_can_be_seen(shown: Shown):
    campaigns = shown.get("/campaigns?pageSize=100")["campaigns"]
    by_status = shown.get("/campaigns/stats/summary")["byStatus"]

    assert {one["status"] for one in campaigns} == STATUSES
    assert "recurring" in {one["scheduleType"] for one in campaigns}
    assert sum(count for status, count in by_status.items() if status != "sent") == len(campaigns) >= 12
    assert all(by_status[status] for status in STATUSES)


def test_the_dashboard_adds_up(shown: Shown):
    dashboard, overview = shown.get("/dashboard"), shown.get("/dashboard/overview")
    week = dashboard["reports"]["last7Days"]
    messaging, quick = shown.get("/reports/messaging"), shown.get("/dashboard/quick-stats")

    assert week["sent"] == sum(day["messages"] for day in messaging["trends"][-7:]) > 0
    assert week["delivered"] > 0 and week["failed"] > 0 and week["unsubscribes"] > 0
    assert all(day["deliveredRate"] > 0 for day in dashboard["reports"]["deliveryRateTrend"][:-1])
    assert dashboard["reports"]["topCampaigns"]
    assert overview["recentMessages"] and overview["contacts"]["optedOut"] > 0
    assert quick["smsSent"] == messaging["byDirection"]["outbound"], "all that was sent is in the window"


def test_every_report_is_alive_and_agrees_with_the_others(shown: Shown):
    campaigns, messaging = shown.get("/reports/campaigns"), shown.get("/reports/messaging")
    spent, people, whole = (shown.get(f"/reports/{name}") for name in ("credits", "contacts", "overview"))
    stats = campaigns["campaignStats"]

    assert stats["totalSent"] == messaging["byStatus"]["sent"] == sum(
        day["messages"] for day in messaging["trends"]
    )  # fmt: skip
    assert stats["totalDelivered"] == messaging["byStatus"]["delivered"]
    assert messaging["byDirection"]["inbound"] > 50
    assert len([day for day in messaging["trends"] if day["messages"]]) >= 28, "hardly a day without texts"
    assert spent["summary"]["usedCredits"] == sum(day["creditsUsed"] for day in spent["trends"]) > 0
    assert spent["summary"]["usedCredits"] == whole["campaignPerformance"]["creditsUsed"]
    assert spent["recentPurchases"]
    assert sum(people["consentBreakdown"].values()) == people["summary"]["totalContacts"]
    assert people["summary"]["engagedContacts"] > 0 and people["summary"]["recentContacts"] > 0
    assert shown.get("/reports/kpis")["recentActivity"]["messages"] > 0
    assert shown.get("/reports/automations")["trends"], "empty until automations have a past"


def test_a_finished_campaign_can_be_looked_into(shown: Shown):
    campaign = shown.campaign("Early access")
    id_ = campaign["id"]
    metrics, report = shown.get(f"/campaigns/{id_}/metrics"), shown.get(f"/reports/campaigns/{id_}")
    failed = shown.get(f"/campaigns/{id_}/failed-recipients")
    tracked = shown.get(f"/tracking/campaign/{id_}?pageSize=5")

    assert metrics["clicks"] > 100 and metrics["unsubscribes"] > 0
    assert metrics["delivered"] == report["analytics"]["delivered"] == campaign["deliveredCount"]
    assert failed["failedCount"] == failed["pagination"]["total"] == metrics["failed"]
    assert {one["error"] for one in failed["recipients"]} > {"undelivered"}
    assert len(tracked["messages"]) == 5
    assert shown.get(f"/tracking/mitto/{tracked['messages'][0]['messageId']}")["deliveryStatus"]
    assert shown.get(f"/campaigns/{id_}/progress")["progress"] == 100


def test_the_live_campaign_lasts_for_hours(shown: Shown):
    live = shown.campaign(LIVE)
    progress = shown.get(f"/campaigns/{live['id']}/progress")

    assert live["status"] == "sending"
    assert progress["total"] == progress["pending"] > 4_000
    with across_shops("a test counts") as session:
        due, hours = session.execute(
            sa.text(
                "SELECT count(*) FILTER (WHERE send_after <= now()),"
                " extract(epoch FROM max(send_after) - now()) / 3600 FROM messages m"
                " JOIN message_runs r ON r.id = m.run_id WHERE m.state = 'pending' AND r.is_open"
            )
        ).one()
    assert 0 < due < 400 and 3 < hours < 6


def test_people_lists_and_segments_are_alive(shown: Shown):
    stats = shown.get("/contacts/stats")
    segments = shown.get("/audiences/segments")["segments"]
    imports = shown.get("/contacts/imports")["imports"]

    assert stats["total"] == shown.get("/contacts?pageSize=1")["total"]
    assert all(stats[name] > 0 for name in ("optedIn", "optedOut", "unknown"))
    assert shown.get("/contacts/birthdays")["contacts"]
    assert shown.get("/contacts?hasPurchased=true&pageSize=1")["contacts"]
    assert shown.get("/suppressions")["items"]
    assert {one["type"] for one in segments} == {"system", "custom"}
    assert any(one["rule"] for one in segments)
    assert all(one["estimatedCount"] > 0 for one in segments)
    assert all(one["contactCount"] > 0 for one in shown.get("/audiences")["audiences"])
    assert {one["status"] for one in imports} == {"completed"}
    assert all(shown.get(f"/contacts/imports/{one['id']}/errors")["errors"] for one in imports)


def test_templates_keys_activity_and_money_are_alive(shown: Shown):
    templates, balance = shown.get("/templates?limit=50")["items"], shown.get("/billing/balance")
    actions = {one["action"] for one in shown.get("/activity?pageSize=100")["activity"]}

    assert any(one["useCount"] for one in templates)
    assert len(shown.get("/api-keys")["apiKeys"]) == 2
    assert {"campaign.created", "campaign.enqueued", "campaign.cancelled", "campaign.paused"} <= actions
    assert {"import.started", "api_key.created", "api_key.revoked", "segment.created"} <= actions
    assert balance["available"] > 0 and balance["reserved"] > 0
    assert balance["available"] == shown.get("/dashboard")["credits"]
    assert balance["subscription"]["usedSmsThisPeriod"] > 0


def test_the_links_on_the_phones_lead_somewhere(shown: Shown):
    with sqlite3.connect(shown.phones) as store:
        sent, replies = store.execute(
            "SELECT count(*) - sum(is_reply), sum(is_reply) FROM messages"
        ).fetchone()
        (words,) = store.execute(
            "SELECT text FROM messages WHERE is_reply = 0 AND sender = ? LIMIT 1", (SENDER,)
        ).fetchone()
    store.close()
    token = LINK.findall(words)[0].rpartition("/")[2]

    assert sent > 5_000 and replies > 20
    # As a scanner: it is led on, and not counted.
    assert shown.client.head(f"/r/{token}").headers["Location"].startswith("https://salt-and-linen.example/")


def count_rows() -> dict[str, int]:
    with across_shops("a test counts") as session:
        return {
            table: session.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() for table in COUNTED
        }


def texts_on_phones(phones: Path) -> int:
    with sqlite3.connect(phones) as store:
        count = store.execute("SELECT count(*) FROM messages").fetchone()[0]
    store.close()
    return int(count)
