from __future__ import annotations

from flask import Flask

from app.core.uow import across_shops
from app.integrations.mitto.types import Accepted, Unclear
from app.messaging.provider import CallResult
from app.messaging.service import freezing, sending
from app.messaging.service.reports import ReportRow, record_reports, resolve_orphan
from app.shops.models import Shop
from tests import build, build_messages


def a_sent_run(people: int, *, known: bool = True) -> tuple[Shop, int]:
    """A run whose messages the carrier accepted as M1, M2, …; or of which we do not know."""
    shop = build.a_shop()
    build_messages.credit(shop)
    build_messages.people(shop, people)
    run = build_messages.a_run(shop)
    batch = sending.claim(shop.id, run.run_id)
    assert batch is not None
    outcomes = [Accepted(f"M{n}") if known else Unclear() for n in range(1, people + 1)]
    sending.settle(shop.id, run.run_id, batch, CallResult(outcomes, "answered"))
    return shop, run.run_id


def report(*reports: ReportRow) -> set[str]:
    with across_shops("a test reports"):
        return record_reports(reports)


def test_reports_bring_messages_to_their_end_and_failed_ones_their_credits_back(app: Flask) -> None:
    shop, run_id = a_sent_run(3)
    before = build_messages.balance_of(shop)

    unmatched = report(
        ReportRow("M1", "delivered"), ReportRow("M2", "failed", "expired"), ReportRow("M9", "delivered")
    )

    assert unmatched == {"M9"}
    assert build_messages.states_of(shop, run_id) == {"delivered": 1, "undelivered": 1, "sent": 1}
    after = build_messages.balance_of(shop)
    assert (before.spent - after.spent, after.available - before.available) == (1, 1)
    build_messages.assert_books_balance()


def test_doubled_late_and_reordered_reports_change_nothing(app: Flask) -> None:
    shop, run_id = a_sent_run(2)
    report(ReportRow("M1", "delivered"), ReportRow("M2", "failed"))
    balance = build_messages.balance_of(shop)

    report(
        ReportRow("M1", "sent"),
        ReportRow("M1", "failed"),
        ReportRow("M2", "failed"),
        ReportRow("M2", "delivered"),
    )

    assert build_messages.states_of(shop, run_id) == {"delivered": 1, "undelivered": 1}
    assert build_messages.balance_of(shop) == balance
    build_messages.assert_books_balance()


def test_delivered_beats_failed_in_one_batch(app: Flask) -> None:
    shop, run_id = a_sent_run(1)

    report(ReportRow("M1", "failed"), ReportRow("M1", "delivered"))

    assert build_messages.states_of(shop, run_id) == {"delivered": 1}


def test_an_unknown_message_is_found_again_by_the_token_in_its_text(app: Flask) -> None:
    shop, run_id = a_sent_run(2, known=False)
    run, message = build_messages.run_of(shop, run_id), build_messages.messages_of(shop, run_id)[0]
    body = freezing.body_of(run, message.id, {"firstName": message.first_name})

    with across_shops("a test looks up"):
        assert resolve_orphan("01FOUND", body) is True
    report(ReportRow("01FOUND", "delivered"))

    assert build_messages.states_of(shop, run_id) == {"delivered": 1, "unknown": 1}
    assert build_messages.balance_of(shop).spent == 1
    build_messages.assert_books_balance()


def test_resolving_twice_charges_once_and_another_text_finds_nothing(app: Flask) -> None:
    shop, run_id = a_sent_run(1, known=False)
    run, message = build_messages.run_of(shop, run_id), build_messages.messages_of(shop, run_id)[0]
    body = freezing.body_of(run, message.id, {})

    with across_shops("a test looks up"):
        assert resolve_orphan("01FOUND", body) is True
        assert resolve_orphan("01FOUND", body) is True
        assert resolve_orphan("01OTHER", body) is False
        assert resolve_orphan("01OTHER", "no link here /r/AAAAAAAAAAAAAAAA") is False

    assert build_messages.balance_of(shop).spent == 1
    build_messages.assert_books_balance()


def test_a_report_that_beats_our_settlement_is_not_undone_by_it(app: Flask) -> None:
    shop = build.a_shop()
    build_messages.credit(shop)
    build_messages.people(shop, 1)
    frozen = build_messages.a_run(shop)
    batch = sending.claim(shop.id, frozen.run_id)
    assert batch is not None
    body = freezing.body_of(build_messages.run_of(shop, frozen.run_id), batch.messages[0].id, {})
    with across_shops("a test looks up"):
        resolve_orphan("M1", body)
    report(ReportRow("M1", "delivered"))

    sending.settle(shop.id, frozen.run_id, batch, CallResult([Accepted("M1")], "answered"))

    assert build_messages.states_of(shop, frozen.run_id) == {"delivered": 1}
    assert build_messages.balance_of(shop).spent == 1
    build_messages.assert_books_balance()
