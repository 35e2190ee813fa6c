"""Metrics and health, as operators and their machines read them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from app import create_app
from app.config import ConfigError, Settings
from app.core.clock import now
from app.core.metrics import counted
from app.core.ticks import claim_tick
from app.core.uow import across_shops
from app.monitoring import queries
from tests import build, build_contacts
from tests.build_campaigns import Merchant, a_merchant, answer, later, rewrite, statements
from tests.conftest import VALUES

ADMIN = {"X-Admin-Token": VALUES["ADMIN_TOKEN"]}
SERIES = {
    "queue_sms_waiting",
    "queue_campaign_waiting",
    "queue_automation_waiting",
    "campaigns_total",
    "campaigns_stuck",
    "credit_reservations_active",
    "credit_reservations_expired",
    "webhook_events_failed_total",
}
COUNTED = {"api_requests_total", "sms_calls_total", "sms_messages_total", "db_transactions_total"}


@pytest.fixture
def merchant(client: FlaskClient) -> Merchant:
    return a_merchant(client)


def samples(client: FlaskClient) -> dict[str, list[tuple[dict[str, str], float]]]:
    """The text format as a scraper reads it."""
    text = client.get("/metrics?format=prometheus", headers=ADMIN).text
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def a_sending(merchant: Merchant, people: int) -> str:
    build_contacts.contacts(merchant.shop, people)
    campaign = merchant.a_campaign()
    merchant.data("POST", f"/campaigns/{campaign}/enqueue")
    return campaign


def events(outcomes: dict[str, int]) -> None:
    with across_shops("events of a test") as session:
        session.execute(
            sa.text(
                "INSERT INTO webhook_inbox (provider, topic, external_id, payload, processed_at, outcome)"
                " SELECT 'mitto', 'dlr', o.key || n, '{}', now(), o.key"
                " FROM jsonb_each_text(CAST(:outcomes AS jsonb)) o, generate_series(1, o.value::int) n"
            ),
            {"outcomes": json.dumps(outcomes)},
        )


def test_the_figures_are_those_of_the_database(client: FlaskClient, merchant: Merchant):
    a_sending(merchant, 3)
    due = merchant.a_campaign(scheduleType="scheduled", scheduleAt=later(hours=1))
    rewrite(merchant, due, schedule_at=now() - timedelta(minutes=1))
    merchant.a_campaign()
    events({"refused": 2, "applied": 5})

    shown = client.get("/metrics", headers=ADMIN).json

    assert shown["queue_sms_waiting"] == 3
    assert (shown["queue_campaign_waiting"], shown["queue_automation_waiting"]) == (1, 0)
    assert shown["campaigns_total"] == {"draft": 1, "scheduled": 1, "sending": 1}
    assert (shown["credit_reservations_active"], shown["credit_reservations_expired"]) == (1, 0)
    assert (shown["campaigns_stuck"], shown["webhook_events_failed_total"]) == (0, 2)


def test_a_scraper_finds_every_series(client: FlaskClient, merchant: Merchant):
    a_sending(merchant, 2)
    answer(merchant, "ar")
    merchant.data("GET", "/dashboard")

    found = samples(client)

    assert SERIES | COUNTED | {"cache_lookups_total", "api_request_seconds_bucket"} <= found.keys()
    assert found["campaigns_total"] == [({"status": "sending"}, 1.0)]
    assert ({"outcome": "rejected"}, 1.0) in found["sms_messages_total"]
    assert ({"family": "figures", "result": "miss"}, 1.0) in found["cache_lookups_total"]


def test_the_histogram_grows_to_the_number_of_requests(client: FlaskClient):
    for _ in range(3):
        client.get("/health")

    found = samples(client)

    buckets = [
        value for labels, value in found["api_request_seconds_bucket"] if labels["blueprint"] == "health"
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] >= 3
    assert ({"blueprint": "health"}, buckets[-1]) in found["api_request_seconds_count"]


def test_the_text_says_which_format_it_is(client: FlaskClient):
    scraped = client.get("/metrics?format=prometheus", headers=ADMIN)

    assert scraped.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert client.get("/metrics?format=xml", headers=ADMIN).status_code == 400


def test_a_scrape_is_two_statements(app: Flask, client: FlaskClient):
    with statements(app) as said:
        client.get("/metrics", headers=ADMIN)

    assert len([one for one in said if "set_config" not in one]) == 2


@pytest.mark.parametrize("path", ["/metrics", "/health/config", "/health/full"])
def test_a_token_of_either_kind_opens(client: FlaskClient, path: str):
    token = VALUES["ADMIN_TOKEN"]

    assert client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert client.get(path, headers=build.auth(build.a_shop())).status_code == 403
    assert client.get(path).status_code == 403


@pytest.mark.parametrize(("allowed", "status"), [("10.1.0.0/16,127.0.0.1", 200), ("10.1.0.0/16", 403)])
def test_an_allowed_address_reads_metrics_alone(app: Flask, settings: Settings, allowed: str, status: int):
    client = create_app(replace(settings, metrics_allowlist=tuple(allowed.split(",")))).test_client()

    assert client.get("/metrics").status_code == status
    assert client.get("/health/full").status_code == 403


def test_an_allowlist_is_of_networks(settings: Settings):
    environ = {
        **VALUES,
        "DATABASE_URL": "postgresql://a",
        "REDIS_URL": "redis://a",
        "METRICS_ALLOWLIST": "all",
    }
    with pytest.raises(ConfigError, match="METRICS_ALLOWLIST"):
        Settings.from_env(environ)


def test_metrics_without_redis_are_those_of_the_database(app: Flask, settings: Settings):
    away = create_app(replace(settings, redis_url="redis://127.0.0.1:9/0")).test_client()

    shown = away.get("/metrics", headers=ADMIN)

    assert shown.status_code == 200
    assert shown.json["counters"]["api_requests_total"] == []


def test_the_configuration_shows_no_secret(client: FlaskClient):
    shown = client.get("/health/config", headers=ADMIN)

    assert shown.json["ok"] is True
    assert shown.json["mitto"] == {"base": VALUES["MITTO_API_BASE"], "hasKey": True}
    assert not [
        value for name, value in VALUES.items() if name.endswith(("SECRET", "KEY")) and value in shown.text
    ]


def test_health_says_what_is_missing_and_changes_nothing(app: Flask, client: FlaskClient):
    before = everything(app)
    shown = client.get("/health/full", headers=ADMIN).json

    assert everything(app) == before
    assert shown["ok"] is False
    checks: dict[str, Any] = shown["checks"]
    assert (checks["db"], checks["redis"], checks["queue"], checks["mitto"]) == (True, True, True, True)
    assert (checks["workers"], checks["scheduler"]) == (False, False)
    assert checks["queueCounts"] == {"sending": 0, "events": 0, "imports": 0}
    assert shown["metrics"]["queue_sms_waiting"] == 0
    assert {"timestamp", "uptime", "version", "responseTime"} <= shown.keys()

    claim_tick("messaging.sweep", 5)
    assert client.get("/health/full", headers=ADMIN).json["checks"]["scheduler"] is True


def test_health_without_anything_still_answers(settings: Settings, app: Flask):
    nowhere = {
        "database_url": "postgresql+psycopg2://nobody@127.0.0.1:9/none",
        "redis_url": "redis://127.0.0.1:9/0",
    }
    shown = create_app(replace(settings, **nowhere)).test_client().get("/health/full", headers=ADMIN).json

    assert (shown["ok"], shown["checks"]["db"], shown["checks"]["redis"]) == (False, False, False)


def test_the_figures_read_small_indexes(app: Flask, merchant: Merchant):
    with across_shops("a plan of a test") as session:
        session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(session.scalars(sa.text(f"EXPLAIN {queries.GAUGES.text}")))

    assert "Seq Scan" not in plan
    for index in ("ix_message_runs_live", "ix_credit_holds_left", "ix_webhook_inbox_failed"):
        assert index in plan


def everything(app: Flask) -> tuple[int, set[bytes]]:
    """How many rows were ever written, and what is in Redis besides counters."""
    with across_shops("what a test compares") as session:
        ticks = session.scalar(sa.text("SELECT count(*) FROM ticks"))
    counted()
    keys = app.extensions["astronote.redis"].keys("*")
    return ticks or 0, {key for key in keys if not key.startswith(b"metrics:")}
