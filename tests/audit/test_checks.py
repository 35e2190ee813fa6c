"""Every check of the audit can fail: one thing is corrupted, and exactly that check says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.audit import jobs
from app.audit.checks import CHECKS
from app.audit.service import audit, report_differences
from app.contacts.models import Consent
from app.core.clock import now
from app.core.settings import settings
from app.core.uow import across_shops
from app.credits.proof import sealing
from app.integrations.mitto.types import Accepted, Rejected, Unclear
from app.messaging.link_tokens import make_token
from app.messaging.provider import CallResult
from app.messaging.service import sending
from app.messaging.service.reports import ReportRow, record_reports
from app.messaging.states import Source
from app.shops.models import Shop
from tests import build, build_contacts, build_messages, build_orders
from tests.core.conftest import Line, lines  # noqa: F401  # a fixture
from tests.purchases.buying import paid_row

SENT = "provider_message_id = 'M1'"
UNDELIVERED = "provider_message_id = 'M3'"
ONE_PENDING = "id = (SELECT min(id) FROM messages WHERE state = 'pending')"
HOLD_OF_PENDING = "run_id = (SELECT run_id FROM messages WHERE state = 'pending' LIMIT 1)"
HOLD_OF_SENT = f"run_id = (SELECT run_id FROM messages WHERE {SENT})"
ONE_MORE_PART = "UPDATE messages SET parts = parts + 1 WHERE"
# What is broken, and by which statements. Each breaks one promise and keeps all the others.
CORRUPTIONS: list[tuple[str, tuple[str, ...]]] = [
    (
        "balances_are_their_transfers",
        ("UPDATE ledger_transfers SET amount = amount + 1 WHERE kind = 'grant'",),
    ),
    (
        "last_transfer_shows_the_balance",
        (
            "UPDATE ledger_transfers SET to_balance_after = to_balance_after + 1"
            " WHERE id = (SELECT max(id) FROM ledger_transfers)",
        ),
    ),
    (
        "held_account_is_the_holds",
        (
            f"UPDATE credit_holds SET wallet_left = wallet_left + 1 WHERE {HOLD_OF_PENDING}",
            f"{ONE_MORE_PART} {ONE_PENDING}",
        ),
    ),
    ("holds_are_the_open_messages", (f"{ONE_MORE_PART} {ONE_PENDING}",)),
    ("holds_are_the_open_messages", (f"{ONE_MORE_PART} state = 'unknown'",)),
    ("spent_is_the_charged_messages", (f"{ONE_MORE_PART} {SENT}",)),
    (
        "spent_account_is_the_runs",
        (
            f"UPDATE credit_holds SET wallet_spent = wallet_spent + 1 WHERE {HOLD_OF_SENT}",
            f"{ONE_MORE_PART} {SENT}",
        ),
    ),
    ("refunds_are_for_undelivered", (f"{ONE_MORE_PART} {UNDELIVERED}",)),
    ("seals_leave_no_hole", ("UPDATE ledger_seals SET transfers = transfers + 1",)),
    ("seals_leave_no_hole", ("UPDATE ledger_seals SET previous = hash",)),
    ("counters_are_the_messages", ("UPDATE message_runs SET skipped = skipped + 1 WHERE pending > 0",)),
    (
        "claims_do_not_outlive_their_lease",
        ("UPDATE send_attempts SET started_at = started_at - interval '1 day' WHERE state = 'open'",),
    ),
    ("accepted_messages_have_ids", (f"UPDATE messages SET provider_message_id = NULL WHERE {SENT}",)),
    (
        "accepted_messages_have_ids",
        (f"UPDATE messages SET provider_message_id = 'M99' WHERE {ONE_PENDING}",),
    ),
    (
        "no_row_refers_to_another_shop",
        (
            "UPDATE messages m SET contact_id = (SELECT min(id) FROM contacts c WHERE c.shop_id <> m.shop_id)"
            " WHERE state = 'unknown'",
        ),
    ),
    (
        "no_row_refers_to_another_shop",
        (
            "UPDATE send_attempts a SET shop_id = (SELECT max(id) FROM shops) WHERE id ="
            " (SELECT attempt_id FROM messages WHERE state = 'claimed' LIMIT 1)",
        ),
    ),
    (
        "opted_out_are_suppressed",
        (
            "INSERT INTO suppressions (shop_id, phone, source)"
            " SELECT shop_id, phone, 'manual' FROM contacts WHERE consent = 'opted_in' LIMIT 1",
        ),
    ),
    ("opted_out_are_suppressed", ("DELETE FROM suppressions",)),
    (
        "attributions_agree_with_their_texts",
        ("UPDATE order_attributions SET source_id = source_id + 1",),
    ),
    (
        "attributions_agree_with_their_texts",
        ("UPDATE order_attributions SET message_id = (SELECT max(id) FROM messages)",),
    ),
    (
        "attributions_agree_with_their_texts",
        ("UPDATE order_attributions SET at = at + interval '1 day'",),
    ),
    (
        "purchases_have_their_transfers",
        ("UPDATE purchases SET credits = credits + 1 WHERE reversed_credits = 0",),
    ),
    (
        "purchase_transfers_have_their_purchases",
        ("UPDATE purchases SET status = 'failed', paid_at = NULL WHERE reversed_credits = 0",),
    ),
    (
        "reversed_credits_are_their_transfers",
        ("UPDATE purchases SET reversed_credits = reversed_credits + 1 WHERE reversed_credits > 0",),
    ),
]
GUARDED = ("ledger_seals", "ledger_transfers")
# Credits from nowhere are always also no sum of transfers, and not what the last one shows.
NEVER_ALONE = {
    "credits_add_up": {"balances_are_their_transfers", "last_transfer_shows_the_balance"},
}


def a_lived_in_world() -> Shop:
    """Runs with messages in every state that costs something, and somebody who opted out."""
    shop = build.a_shop()
    build_messages.credit(shop, 1_000)
    build_contacts.contacts(shop, 6)
    build_contacts.a_contact(shop, consent=Consent.OPTED_OUT)
    sent = build_messages.a_run(shop, source=Source.CAMPAIGN)
    claimed, _pending = (build_messages.a_run(shop) for _ in range(2))
    batch = sending.claim(shop.id, sent.run_id)
    assert batch is not None
    outcomes = [*(Accepted(f"M{number}") for number in range(1, 5)), Rejected("bad"), Unclear()]
    sending.settle(shop.id, sent.run_id, batch, CallResult(outcomes, "answered"))
    with across_shops("the carrier reports"):
        record_reports([ReportRow("M2", "delivered"), ReportRow("M3", "failed")])
    assert sending.claim(shop.id, claimed.run_id)
    somebody_buys(shop, sent.run_id)
    paid_row(shop, 100)
    paid_row(shop, 100, refunded_cents=2_500)
    build_contacts.a_contact(build.a_shop())
    sealing.seal(shop.id)
    return shop


def somebody_buys(shop: Shop, run_id: int) -> None:
    """After a click on the first message of a run."""
    (message, *_) = build_messages.messages_of(shop, run_id)
    token = make_token(message.id, 1, settings().link_secrets[0])
    moment = (now() + timedelta(minutes=1)).isoformat()
    build_orders.take_order(
        shop, message.contact_id, processed_at=moment, updated_at=moment, landing_site=f"/?ast={token}"
    )


def corrupt(owner: sa.Engine, *statements: str) -> None:
    """As the tables' owner, past row-level security and with the append-only trigger stood down."""
    with owner.connect() as connection:
        connection.exec_driver_sql("SELECT set_config('app.all_shops', 'on', false)")
        for table in GUARDED:
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            for statement in statements:
                assert connection.exec_driver_sql(statement).rowcount > 0, statement
        finally:
            for table in GUARDED:
                connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def broken_promises() -> set[str]:
    return {finding.check.name for finding in audit() if finding.differences}


def test_a_lived_in_world_is_in_order_and_every_check_had_something_to_look_at(app: Flask):
    a_lived_in_world()

    findings = audit()

    assert {finding.check.name: finding.examples for finding in findings if finding.differences} == {}
    assert [finding.check.name for finding in findings if not finding.looked_at] == []


def test_an_empty_world_is_in_order(app: Flask):
    assert broken_promises() == set()


@pytest.mark.parametrize(("check", "statements"), CORRUPTIONS)
def test_what_is_broken_is_found_by_exactly_its_check(
    app: Flask, owner: sa.Engine, check: str, statements: tuple[str, ...]
):
    a_lived_in_world()

    corrupt(owner, *statements)

    assert broken_promises() == {check}


def test_credits_from_nowhere_are_found(app: Flask, owner: sa.Engine):
    a_lived_in_world()

    corrupt(owner, "UPDATE ledger_accounts SET balance = balance + 1 WHERE kind = 'wallet'")

    assert broken_promises() == {"credits_add_up"} | NEVER_ALONE["credits_add_up"]


def test_a_refund_of_a_message_that_arrived_is_found(app: Flask, owner: sa.Engine):
    a_lived_in_world()

    corrupt(owner, f"UPDATE messages SET state = 'delivered' WHERE {UNDELIVERED}")

    assert "refunds_are_for_undelivered" in broken_promises()


def test_every_check_is_tried_here():
    assert {check.name for check in CHECKS} == {check for check, _ in CORRUPTIONS} | set(NEVER_ALONE)


def test_a_finding_counts_the_rows_and_shows_examples(app: Flask, owner: sa.Engine):
    shop = a_lived_in_world()
    corrupt(owner, f"{ONE_MORE_PART} {SENT}")

    (finding,) = [finding for finding in audit() if finding.differences]

    assert finding.differences == 1
    assert finding.examples[0]["shop_id"] == shop.id
    assert finding.examples[0]["charged_parts"] == finding.examples[0]["spent"] + 1


def test_the_command_shows_every_check_and_succeeds(app: Flask):
    a_lived_in_world()

    shown = app.test_cli_runner().invoke(args=["audit"])

    assert shown.exit_code == 0
    for check in CHECKS:
        assert f"ok   {check.name}" in shown.output
    assert f"audit: {len(CHECKS)} checks, 0 differences" in shown.output


def test_the_command_fails_when_anything_is_wrong(app: Flask, owner: sa.Engine):
    a_lived_in_world()
    corrupt(owner, f"{ONE_MORE_PART} {SENT}")

    shown = app.test_cli_runner().invoke(args=["audit"])
    as_json = app.test_cli_runner().invoke(args=["audit", "--json"])

    assert (shown.exit_code, as_json.exit_code) == (1, 1)
    assert "FAIL spent_is_the_charged_messages" in shown.output
    assert json.loads(as_json.output) == {"checks": len(CHECKS), "differences": 1}


def test_the_nightly_audit_logs_an_error_for_each_broken_promise(
    app: Flask,
    owner: sa.Engine,
    lines: Callable[[], list[Line]],  # noqa: F811
):
    a_lived_in_world()
    corrupt(owner, f"{ONE_MORE_PART} {SENT}")
    lines()

    jobs.nightly()
    jobs.nightly()  # the same night: once is enough

    errors = [line for line in lines() if line["level"] == "error"]
    assert [(one["event"], one["check"], one["differences"]) for one in errors] == [
        ("books_do_not_balance", "spent_is_the_charged_messages", 1)
    ]


def test_the_audit_repairs_nothing(app: Flask, owner: sa.Engine):
    a_lived_in_world()
    corrupt(owner, f"{ONE_MORE_PART} {SENT}")

    assert [report_differences(), report_differences()] == [1, 1]
