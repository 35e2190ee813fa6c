"""Stripe is followed whatever is heard of it: in any order, twice, late, or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from flask import Flask

from app.core.database import db
from app.subscriptions.models import Source
from app.subscriptions.service import sweeping
from app.subscriptions.service.syncing import sync
from tests.subscriptions.subscriber import Subscriber, rung


def test_a_paid_session_makes_the_subscription_and_includes_its_sms(subscriber: Subscriber):
    subscriber.pay_for("starter")

    words = subscriber.hear()

    status = subscriber.status()
    assert "applied" in words
    assert (status["active"], status["planType"], status["interval"]) == (True, "starter", "month")
    assert (status["includedSmsPerPeriod"], status["remainingSmsThisPeriod"]) == (100, 100)
    assert status["sourceOfTruth"] == "webhook"
    assert subscriber.allowances == [100]


@pytest.mark.parametrize("seed", range(12))
def test_events_in_any_order_and_twice_end_the_same(subscriber: Subscriber, seed: int):
    chance = Random(seed)  # noqa: S311
    subscriber.pay_for("starter")
    first = subscriber.world.pull()
    chance.shuffle(first)
    subscriber.hear(first + first[: chance.randrange(len(first))])
    subscriber.spend(30)
    with subscriber.later(months=1, days=1):
        events = subscriber.world.pull()
        chance.shuffle(events)
        told = events + chance.sample(events + first, 3)
        chance.shuffle(told)
        heard = chance.randrange(1, len(told))
        subscriber.hear(told[:heard])
        subscriber.spend(10)
        subscriber.hear(told[heard:])

        assert subscriber.allowances == [100, 100]
        assert subscriber.left in {90, 100}, "of the new period, or still of the old one"


def test_usage_is_kept_however_often_a_period_is_activated(subscriber: Subscriber):
    session = subscriber.pay_for("starter")
    events = subscriber.world.pull()
    subscriber.hear(events)
    subscriber.spend(40)

    for _ in range(3):
        subscriber.do("finalize", sessionId=session)
        subscriber.do("verify-session", sessionId=session)
        subscriber.do("reconcile")
        subscriber.hear(events)

    assert subscriber.left == 60
    assert subscriber.allowances == [100]


def test_a_renewal_starts_the_next_allowance_once_and_lets_the_rest_lapse(subscriber: Subscriber):
    subscriber.subscribe()
    subscriber.spend(40)

    with subscriber.later(months=1, days=1):
        subscriber.hear()
        subscriber.hear()

        assert subscriber.left == 100
        assert subscriber.allowances == [100, 100]


def test_an_unpaid_renewal_stops_the_sending_until_it_is_paid(subscriber: Subscriber):
    subscription = subscriber.subscribe()
    subscriber.world.fail_renewals(subscription)
    with subscriber.later(months=1, days=1):
        subscriber.hear()
        status = subscriber.status()
        assert (status["status"], status["active"]) == ("past_due", False)
        assert status["lastBillingError"]
        assert status["allowedActions"] == ["updatePaymentMethod", "refreshFromStripe", "viewInvoices"]
        assert subscriber.allowances == [100], "an unpaid period includes nothing"

        subscriber.world.mend_renewals(subscription)
        with subscriber.later(days=10):
            subscriber.hear()
            status = subscriber.status()
            assert (status["status"], status["active"], status["lastBillingError"]) == ("active", True, None)
            assert subscriber.allowances == [100, 100]


def test_a_cancelled_subscription_ends_with_its_period_and_what_is_left_lapses(subscriber: Subscriber):
    subscriber.subscribe()
    subscriber.do("cancel")
    assert subscriber.left == 100

    with subscriber.later(months=1, days=1):
        subscriber.hear()
        status = subscriber.status()

        assert (status["status"], status["active"], status["remainingSmsThisPeriod"]) == (
            "cancelled",
            False,
            0,
        )
        assert status["allowedActions"] == ["subscribe", "viewInvoices"]
        assert subscriber.cannot("cancel") == (400, "NO_ACTIVE_SUBSCRIPTION")
        assert subscriber.subscribe("pro") != ""
        assert subscriber.left == 500


def test_a_lost_webhook_is_made_up_for_by_reconcile(subscriber: Subscriber):
    subscriber.pay_for("pro")
    subscriber.world.pull()  # lost
    assert subscriber.status()["active"] is False

    done = subscriber.do("reconcile")

    assert (done["reconciled"], done["reason"]) == (True, "applied")
    assert done["subscription"]["planType"] == "pro"
    assert subscriber.do("reconcile")["reason"] == "unchanged"


def test_a_renewal_that_nobody_told_of_is_found_by_the_daily_comparison(subscriber: Subscriber):
    subscriber.subscribe()
    with subscriber.later(months=1, days=1):
        subscriber.world.pull()  # lost
        sweeping.compare()
        assert rung() == {f"subscriptions.refresh:{subscriber.shop.id}"}

        sweeping.refresh(subscriber.shop.id)

        assert subscriber.allowances == [100, 100]


def test_the_page_and_the_webhook_may_come_at_once(subscriber: Subscriber, app: Flask):
    session = subscriber.pay_for("starter")
    events = subscriber.world.pull()

    def finalize(_: int) -> None:
        with app.app_context():
            subscriber.client.application.test_client()
            sync(subscriber.shop.id, Source.CHECKOUT)
            db.session.remove()

    def hear(_: int) -> None:
        with app.app_context():
            subscriber.hear(events)
            db.session.remove()

    with ThreadPoolExecutor(6) as threads:
        done = [threads.submit(work, 1) for work in (finalize, hear, finalize, hear, finalize)]
        for one in done:
            one.result()
    subscriber.do("finalize", sessionId=session)

    assert subscriber.allowances == [100]
    assert subscriber.status()["active"] is True


def test_a_replaced_subscription_is_cancelled_at_stripe_and_its_events_do_not_count(subscriber: Subscriber):
    old = subscriber.subscribe("starter")
    change = subscriber.do("switch", interval="year")
    assert change["changeMode"] == "checkout"
    subscriber.world.pay(change["checkoutUrl"])

    subscriber.hear()
    assert subscriber.id != old
    assert subscriber.row.superseded_stripe_subscription_id == old
    assert subscriber.status()["planType"] == "pro"

    subscriber.sweep()
    assert subscriber.at_stripe()[old] == "canceled"
    assert subscriber.row.superseded_stripe_subscription_id is None
    deleted = [event for event in subscriber.world.pull() if event["type"] == "customer.subscription.deleted"]
    assert subscriber.hear(deleted) == ["not_current"]
    assert subscriber.status()["active"] is True
    assert subscriber.left == 500


def test_a_replaced_subscription_waits_for_a_stripe_that_is_down(subscriber: Subscriber):
    old = subscriber.subscribe("starter")
    subscriber.world.pay(subscriber.do("switch", interval="year")["checkoutUrl"])
    subscriber.hear()
    subscriber.world.fault("http_500", on="DELETE /v1/subscriptions/*", count=None)

    subscriber.sweep()
    assert subscriber.row.superseded_stripe_subscription_id == old

    subscriber.world.heal()
    subscriber.sweep()
    assert subscriber.at_stripe()[old] == "canceled"


def test_an_event_of_nobody_is_unmatched(subscriber: Subscriber):
    subscriber.pay_for()
    events = [event for event in subscriber.world.pull() if event["type"].startswith("customer.subscription")]
    for event in events:
        event["data"]["object"] |= {
            "metadata": {"shopId": "999"},
            "customer": "cus_nobody",
            "id": "sub_nobody",
        }

    assert set(subscriber.hear(events)) == {"unmatched"}


def test_old_news_ring_for_a_refresh_and_the_page_asks_nobody(subscriber: Subscriber):
    subscriber.subscribe()
    asked = len(subscriber.world.requests())

    subscriber.status()
    assert rung() == set()
    with subscriber.later(seconds=301):
        subscriber.status()

    assert rung() == {f"subscriptions.refresh:{subscriber.shop.id}"}
    assert len(subscriber.world.requests()) == asked
