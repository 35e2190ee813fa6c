"""What webhooks did not bring is found, applied once, and told to operators."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient

from app.core import clock
from app.core.clock import now
from app.purchases import jobs
from app.purchases.service import reconciling
from tests import build
from tests.purchases.buying import balance, differences, hear, pay, purchase, purchases_of, top_up
from tests.stripe_world import StripeWorld


def test_a_payment_that_nobody_told_of_is_fulfilled_once(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop(plan=None)
    pay(stripe_world, client, shop)
    top_up(client, shop)  # not paid

    first, second = reconciling.reconcile(), reconciling.reconcile()

    assert (first["credited"], second["credited"]) == (1, 0)
    assert balance(shop).wallet == 1_000
    assert [one.status for one in purchases_of(shop)] == ["paid", "pending"]
    assert differences() == {}


def test_refunds_and_disputes_that_nobody_told_of_are_followed(
    stripe_world: StripeWorld, client: FlaskClient
):
    shop = build.a_shop(plan=None)
    first, second = (pay(stripe_world, client, shop) for _ in range(2))
    hear(stripe_world)
    stripe_world.refund(first.payment)
    stripe_world.dispute(second.payment)

    assert reconciling.reconcile()["reversed"] == 2

    assert balance(shop).wallet == 0
    assert [purchase(one).status for one in (first, second)] == ["refunded", "refunded"]
    assert differences() == {}


def test_more_sessions_than_a_page_are_all_looked_at(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop(plan=None)
    for _ in range(3):
        pay(stripe_world, client, shop, 100)

    assert sum(len(page) for page in reconciling.pages("sessions", now() - timedelta(days=1), size=1)) == 3


def test_a_page_that_expired_unheard_is_closed_later(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop(plan=None)
    stripe_world.expire(top_up(client, shop)["sessionId"])

    with clock.moved(timedelta(hours=2)):
        assert reconciling.reconcile()["expired"] == 1

    assert [one.status for one in purchases_of(shop)] == ["expired"]


def test_the_daily_job_and_the_commands(stripe_world: StripeWorld, app: Flask):
    shop = build.a_shop(plan=None)
    bought = pay(stripe_world, app.test_client(), shop)
    run = app.test_cli_runner().invoke

    jobs.reconcile()
    listed = run(args=["purchases", "list", "--shop", shop.domain])
    shown = run(args=["purchases", "show", str(bought.id)])
    again = run(args=["purchases", "reconcile", "--days", "2"])
    unknown = run(args=["purchases", "show", "999"])

    assert f"{bought.id}\t" in listed.output
    assert "topup\t1000\t45.00 EUR\tpaid" in listed.output
    assert "status: paid" in shown.output
    assert (again.exit_code, again.output) == (0, "nothing to do\n")
    assert unknown.exit_code == 1


def test_without_stripe_there_is_nothing_to_reconcile(app: Flask):
    assert reconciling.reconcile() == {}
