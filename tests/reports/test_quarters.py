"""What the reports count from: kept by triggers, and never at odds with the counters."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.audit.service import audit
from app.core.uow import across_shops, unit_of_work
from tests.build_campaigns import Merchant, answer
from tests.build_messages import assert_books_balance
from tests.reports.history import a_sent_campaign

AT_ODDS = sa.text("""
    SELECT r.id, r.sent, r.delivered, r.undelivered, r.failed, q.sent, q.delivered, q.failed, q.credits
    FROM message_runs r
    LEFT JOIN credit_holds h ON h.shop_id = r.shop_id AND h.run_id = r.id
    LEFT JOIN (SELECT run_id, sum(sent) AS sent, sum(delivered) AS delivered, sum(failed) AS failed,
                 sum(credits) AS credits FROM run_quarters GROUP BY run_id) q ON q.run_id = r.id
    WHERE (r.sent + r.delivered + r.undelivered, r.delivered, r.undelivered + r.failed + r.not_sent,
        coalesce(h.allowance_spent + h.wallet_spent, 0))
      IS DISTINCT FROM (coalesce(q.sent, 0), coalesce(q.delivered, 0), coalesce(q.failed, 0),
        coalesce(q.credits, 0))""")


def at_odds() -> list[Any]:
    with across_shops("a test looks at all of them") as session:
        return list(session.execute(AT_ODDS).all())


def test_the_quarters_of_a_run_add_up_to_its_counters_and_its_charges(
    merchant: Merchant, stranger: Merchant
) -> None:
    a_sent_campaign(merchant, "aaarrud", "ddf")
    again = a_sent_campaign(stranger, "rra", "f")

    assert stranger.do("retry-failed", again).status_code == 200
    assert at_odds() == []
    answer(stranger, "aa")
    assert at_odds() == []
    assert_books_balance()


def test_a_transaction_that_fails_counts_nothing(app: Flask, merchant: Merchant) -> None:
    a_sent_campaign(merchant, "aa")

    try:
        with unit_of_work(merchant.shop.id) as session:
            session.execute(sa.text("UPDATE message_runs SET delivered = delivered + 1, sent = sent - 1"))
            session.execute(sa.text("UPDATE message_runs SET sent = -1"))
    except sa.exc.IntegrityError:
        pass

    assert at_odds() == []
    assert [finding for finding in audit() if finding.differences] == []


def test_the_messages_of_a_run_from_before_are_found_too(merchant: Merchant) -> None:
    campaign = a_sent_campaign(merchant, "aar")
    with unit_of_work(merchant.shop.id) as session:
        session.execute(sa.text("UPDATE message_runs SET after_message_id = NULL"))

    assert len(merchant.data("GET", f"/tracking/campaign/{campaign}")["messages"]) == 3
