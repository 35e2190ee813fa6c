"""Alerts: each condition is found and told of once an hour, with figures and a page, and names nobody."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from app.core.uow import across_shops
from app.monitoring.jobs import check
from app.monitoring.service import alerts
from tests import build_contacts
from tests.build_campaigns import Merchant, a_merchant, answer
from tests.integrations.mitto.carriers import Asked, Carrier, Said, carrier

PAGES = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
Lines = list[dict[str, Any]]


@pytest.fixture
def merchant(client: FlaskClient) -> Merchant:
    """The owner of a shop who has just sent a campaign to two people."""
    made = a_merchant(client)
    build_contacts.contacts(made.shop, 2)
    made.data("POST", f"/campaigns/{made.a_campaign()}/enqueue")
    return made


@pytest.fixture
def told() -> Iterator[Callable[[], Lines]]:
    """The warnings since the last call."""
    with structlog.testing.capture_logs() as captured:

        def read() -> Lines:
            found = [line for line in captured if line["log_level"] == "warning"]
            captured.clear()
            return found

        yield read


def run(statement: str, **values: Any) -> None:
    with across_shops("trouble of a test") as session:
        session.execute(sa.text(statement), values)


def forget() -> None:
    """Let an hour pass as far as suppression knows."""
    run("DELETE FROM ticks WHERE task LIKE 'alert.%' OR task = 'monitoring.check'")


TICK = "INSERT INTO ticks (task, period_start, started_at, finished_at) VALUES "
EVENTS = (
    "INSERT INTO webhook_inbox (provider, topic, external_id, payload, available_at, processed_at, outcome)"
)
MESSAGES_WAIT = [
    "UPDATE messages SET send_after = now() - interval '20 minutes'",
    "UPDATE message_runs SET updated_at = now() - interval '20 minutes'",
]
TROUBLE: dict[str, list[str]] = {
    "sending_behind": MESSAGES_WAIT,
    "calls_failing": [
        "INSERT INTO send_attempts (shop_id, run_id, size, state, outcome, finished_at)"
        " SELECT shop_id, id, 1, 'settled', 'read_timeout', now() FROM message_runs, generate_series(1, 20)"
    ],
    "campaigns_stuck": [*MESSAGES_WAIT, "UPDATE campaigns SET updated_at = now() - interval '20 minutes'"],
    "unknowns_rising": [
        "INSERT INTO messages (shop_id, run_id, phone, parts, state)"
        " SELECT shop_id, id, '+3069000' || n, 1, 'unknown'"
        " FROM message_runs, generate_series(10001, 10100) n"
    ],
    "events_behind": [
        f"{EVENTS} VALUES ('mitto', 'dlr', '1', '{{}}', now() - interval '10 minutes', NULL, NULL)"
    ],
    "events_given_up": [f"{EVENTS} VALUES ('mitto', 'dlr', '1', '{{}}', now(), now(), 'refused')"],
    "payments_left": [f"{EVENTS} VALUES ('stripe', 'invoice.paid', '1', '{{}}', now(), now(), 'unmatched')"],
    "books_do_not_balance": ["UPDATE ledger_accounts SET balance = balance + 1 WHERE kind = 'wallet'"],
    "holds_expired": ["UPDATE credit_holds SET expires_at = now() - interval '2 hours'"],
    "audit_missing": [
        TICK
        + "('audit.nightly', now() - interval '3 days', now() - interval '3 days', now() - interval '3 days')"
    ],
    "tasks_failing": [
        TICK + "('webhooks.sweep', now() - interval '30 minutes', now() - interval '30 minutes', NULL)"
    ],
    "imports_stuck": [
        "INSERT INTO contact_imports (shop_id, filename, file_sha256, size_bytes, created_at)"
        " SELECT id, 'people.csv', 'x', 1, now() - interval '2 hours' FROM shops"
    ],
}


def test_there_is_trouble_of_every_kind():
    assert TROUBLE.keys() == {one.name for one in alerts.CONDITIONS}


def test_nothing_is_told_of_a_busy_and_healthy_system(merchant: Merchant, told: Callable[[], Lines]):
    answer(merchant, "ar")
    check()

    assert told() == []


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_is_told_of_once_an_hour_with_figures_and_a_page(
    merchant: Merchant, told: Callable[[], Lines], name: str
):
    for statement in TROUBLE[name]:
        run(statement)

    alerts.tell()
    alerts.tell()

    lines = [line for line in told() if line["check"] == name]
    assert len(lines) == 1
    assert lines[0]["event"] == "alert"
    assert (PAGES / f"{lines[0]['runbook']}.md").exists()
    figures = {key: value for key, value in lines[0].items() if isinstance(value, int)}
    assert figures
    assert all(value > 0 for value in figures.values())
    forget()
    alerts.tell()
    assert name in {line["check"] for line in told()}


def test_a_campaign_that_waits_for_the_morning_is_not_stuck(merchant: Merchant, told: Callable[[], Lines]):
    for statement in TROUBLE["campaigns_stuck"]:
        run(statement)
    run("UPDATE messages SET send_after = now() + interval '8 hours'")

    assert alerts.met() == []


def test_the_page_of_alerts_lists_every_condition_with_its_runbook():
    rows = re.findall(r"^\| `(\w+)` \|[^(]*\((.+?)\.md\)", (PAGES / "alerts.md").read_text(), re.M)

    assert dict(rows) == {one.name: one.runbook for one in alerts.CONDITIONS}


# Posting.


@pytest.fixture
def receiver() -> Iterator[Carrier]:
    answers = iter([503, 200])
    with carrier(lambda _: Said(b"", next(answers, 200))) as server:
        yield server


@pytest.fixture
def posting(settings: Settings, app: Flask, receiver: Carrier, merchant: Merchant) -> Iterator[Flask]:
    """The app with an ALERT_WEBHOOK_URL whose first answer is 503, and an event in trouble."""
    run(TROUBLE["events_given_up"][0])
    made = create_app(replace(settings, alert_webhook_url=f"{receiver.url}/hooks/secret"))
    with made.app_context():
        yield made


def test_an_alert_is_posted_and_again_when_it_was_not_taken(
    posting: Flask, receiver: Carrier, told: Callable[[], Lines]
):
    alerts.tell()
    alerts.tell()
    assert len(receiver.requests) == 1
    assert [(line["event"], line.get("reason")) for line in told()] == [
        ("alert", None),
        ("alert_not_posted", "http_503"),
    ]

    run("UPDATE ticks SET started_at = now() - interval '20 minutes' WHERE task LIKE 'alert.%'")
    alerts.tell()
    alerts.tell()

    assert len(receiver.requests) == 2


def test_what_is_posted_names_the_trouble_and_nobody(posting: Flask, receiver: Carrier, merchant: Merchant):
    alerts.tell()

    posted: Asked = receiver.requests[0]
    body = posted.json()
    assert (body["alert"], body["figures"]) == ("events_given_up", {"events": 1})
    assert body["runbook"] == "docs/runbooks/webhooks-behind.md"
    assert "webhooks-behind" in body["text"]
    assert body.keys() == {"text", "alert", "figures", "runbook", "environment", "at"}
    said = json.dumps(body)
    assert merchant.shop.domain not in said
    assert "+30" not in said


def test_a_receiver_that_is_away_fails_nothing(settings: Settings, app: Flask, merchant: Merchant):
    run(TROUBLE["events_given_up"][0])
    with create_app(replace(settings, alert_webhook_url="http://127.0.0.1:9/x")).app_context():
        check()

    with across_shops("ticks of a test") as session:
        ticks = session.execute(
            sa.text("SELECT task, finished_at IS NOT NULL FROM ticks ORDER BY task")
        ).all()
    assert ticks == [("alert.events_given_up", False), ("monitoring.check", True)]
