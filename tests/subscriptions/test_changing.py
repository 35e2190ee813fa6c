"""Another plan, the end, on after all: the policy of contract §14.2, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from app.config import Settings
from app.subscriptions.plans import Sku
from app.subscriptions.service.choosing import Mode, mode_of
from tests import build
from tests.stripe_world import DECLINED, StripeWorld
from tests.subscriptions.subscriber import Subscriber, a_subscriber

STARTER, PRO = Sku("starter", "month", "EUR"), Sku("pro", "year", "EUR")
PRO_MONTHLY, STARTER_YEARLY = Sku("pro", "month", "EUR"), Sku("starter", "year", "EUR")


@pytest.fixture
def matrix(app: Flask, stripe_world: StripeWorld) -> dict[str, str]:
    """Prices of plans that are recognised and not sold."""
    prices = {}
    for plan, interval, cents in (("starter", "year", 100_00), ("pro", "month", 30_00)):
        price = stripe_world.client().v1.prices.create(
            {
                "currency": "eur",
                "unit_amount": cents,
                "recurring": {"interval": interval},  # type: ignore[typeddict-item]
                "product": f"prod_sandbox_{plan}",
            }
        )
        prices[f"SUB_{plan.upper()}_{interval.upper()}_EUR"] = price.id
    settings: Settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, stripe_prices={**settings.stripe_prices, **prices})
    return prices


@pytest.mark.parametrize(
    ("current", "target", "mode"),
    [
        (STARTER, PRO, Mode.CHECKOUT),
        (PRO, STARTER, Mode.SCHEDULED),
        (STARTER_YEARLY, PRO, Mode.IMMEDIATE),
        (PRO_MONTHLY, STARTER, Mode.IMMEDIATE),
        (STARTER, STARTER, Mode.NONE),
        (PRO, PRO, Mode.NONE),
    ],
)
def test_the_policy(current: Sku, target: Sku, mode: Mode):
    assert mode_of(current, target) is mode


def test_from_a_month_to_a_year_goes_by_checkout_and_changes_nothing_before_it_is_paid(
    subscriber: Subscriber,
):
    old = subscriber.subscribe("starter")

    change = subscriber.do("update", planType="pro", interval="year", currency="EUR")

    assert (change["changeMode"], change["scheduled"], change["alreadyUpdated"]) == ("checkout", False, False)
    assert change["subscription"]["planType"] == "starter"
    session = subscriber.world.objects("checkout.session")[0]
    assert session["metadata"]["previousStripeSubscriptionId"] == old
    subscriber.world.pay(change["checkoutUrl"], card=DECLINED)
    subscriber.hear()
    assert subscriber.id == old


def test_from_a_year_to_a_month_is_scheduled_for_the_end_of_the_year(subscriber: Subscriber):
    subscription = subscriber.subscribe("pro")
    subscriber.spend(100)

    change = subscriber.do("switch", interval="month")

    pending = change["subscription"]["pendingChange"]
    assert (change["changeMode"], change["scheduled"]) == ("scheduled", True)
    assert change["effectiveAt"] == pending["effectiveAt"] == change["subscription"]["currentPeriodEnd"]
    assert (pending["planCode"], pending["interval"], pending["currency"]) == ("starter", "month", "EUR")
    assert "cancelScheduledChange" in change["subscription"]["allowedActions"]
    assert subscriber.do("switch", interval="month")["scheduled"] is True, "repeating is harmless"
    with subscriber.later(years=1, days=1):
        subscriber.hear()
        status = subscriber.status()
        assert (status["planType"], status["interval"], status["pendingChange"]) == ("starter", "month", None)
        assert status["stripeSubscriptionId"] == subscription
        assert subscriber.allowances == [500, 100]
        assert subscriber.left == 100


def test_a_scheduled_change_can_be_called_off_and_changed(subscriber: Subscriber):
    subscriber.subscribe("pro")
    assert subscriber.cannot("scheduled/change", planType="starter") == (400, "NO_SCHEDULED_CHANGE")
    assert subscriber.cannot("scheduled/cancel") == (400, "NO_SCHEDULED_CHANGE")
    subscriber.do("switch", targetPlan="starter")

    assert subscriber.cannot("scheduled/change", planType="pro") == (400, "INVALID_SCHEDULED_CHANGE")
    again = subscriber.do("scheduled/change", planType="starter")
    assert (again["scheduled"], again["changeMode"]) == (True, "scheduled")
    off = subscriber.do("scheduled/cancel")
    assert (off["scheduled"], off["subscription"]["pendingChange"]) == (False, None)
    assert subscriber.do("switch", interval="month")["scheduled"] is True, "and scheduled anew"


def test_another_plan_of_the_same_interval_changes_at_once_and_is_paid(
    subscriber: Subscriber, matrix: dict[str, str]
):
    _has(subscriber, matrix["SUB_STARTER_YEAR_EUR"])
    subscriber.spend(60)

    change = subscriber.do("switch", targetPlan="pro")

    assert (change["changeMode"], change["subscription"]["planType"]) == ("immediate", "pro")
    assert subscriber.left == 500, "a higher plan includes its own from here on"
    subscriber.spend(10)
    subscriber.hear()
    assert subscriber.left == 490
    assert [amount for amount in subscriber.allowances if amount == 500] == [500]


def test_a_lower_plan_at_once_includes_nothing_twice(subscriber: Subscriber, matrix: dict[str, str]):
    _has(subscriber, matrix["SUB_PRO_MONTH_EUR"])
    subscriber.spend(450)

    change = subscriber.do("switch", targetPlan="starter")

    assert (change["changeMode"], change["subscription"]["interval"]) == ("immediate", "month")
    assert subscriber.left == 50
    assert subscriber.do("switch", targetPlan="starter")["changeMode"] == "none"
    subscriber.world.client().v1.subscriptions.update(*_onto(subscriber, matrix["SUB_PRO_MONTH_EUR"]))
    subscriber.hear()
    assert subscriber.allowances == [100, 500], "back up again in the same period brings nothing"


def test_an_upgrade_that_the_bank_refuses_changes_nothing(subscriber: Subscriber, matrix: dict[str, str]):
    _has(subscriber, matrix["SUB_STARTER_YEAR_EUR"])
    subscriber.world.fail_renewals(subscriber.id)

    assert subscriber.cannot("switch", targetPlan="pro") == (402, "PAYMENT_FAILED")
    assert subscriber.status()["planType"] == "starter"


def test_the_plan_that_is_there_is_no_change(subscriber: Subscriber):
    subscriber.subscribe("starter")
    calls = len(subscriber.world.requests(method="POST"))

    change = subscriber.do("switch", interval="month")

    assert (change["changeMode"], change["alreadyUpdated"]) == ("none", True)
    assert subscriber.cannot("update", planType="starter") == (400, "ALREADY_ON_PLAN")
    assert len(subscriber.world.requests(method="POST")) == calls


def test_cancelling_and_going_on(subscriber: Subscriber):
    subscriber.subscribe("starter")
    assert subscriber.cannot("resume") == (400, "NOT_CANCELLED")

    for _ in range(2):
        cancelled = subscriber.do("cancel")
        assert cancelled["cancelledAt"].endswith("Z")
        shown = cancelled["subscription"]
        assert (shown["cancelAtPeriodEnd"], shown["active"]) == (True, True)
    assert shown["allowedActions"][0] == "resumeSubscription"

    resumed = subscriber.do("resume")["subscription"]
    assert (resumed["cancelAtPeriodEnd"], resumed["status"]) == (False, "active")


def test_cancelling_calls_a_scheduled_change_off(subscriber: Subscriber):
    subscriber.subscribe("pro")
    subscriber.do("switch", interval="month")

    cancelled = subscriber.do("cancel")["subscription"]

    assert (cancelled["cancelAtPeriodEnd"], cancelled["pendingChange"]) == (True, None)
    assert subscriber.do("switch", interval="month")["scheduled"] is True, "which also means going on"


def test_without_a_subscription_there_is_nothing_to_change(subscriber: Subscriber):
    nothing = (400, "NO_ACTIVE_SUBSCRIPTION")
    assert subscriber.cannot("update", planType="pro") == nothing
    assert subscriber.cannot("switch", interval="year") == nothing
    assert subscriber.cannot("scheduled/change", planType="starter") == nothing
    assert subscriber.cannot("scheduled/cancel") == nothing
    assert subscriber.cannot("cancel") == nothing
    assert subscriber.cannot("resume") == nothing


def test_a_subscription_of_our_staff_ends_by_our_own_clock(stripe_world: StripeWorld, client: Any):
    shop = build.a_shop()
    subscriber = Subscriber(stripe_world, client, shop, build.auth(shop))

    assert subscriber.do("cancel")["subscription"]["cancelAtPeriodEnd"] is True
    assert subscriber.do("resume")["subscription"]["cancelAtPeriodEnd"] is False
    assert subscriber.status()["lastSyncedAt"] is None


@pytest.mark.parametrize("body", [{}, {"currency": "EUR"}, {"interval": "week"}, {"planType": 3}])
def test_a_switch_to_nothing_is_refused(subscriber: Subscriber, body: dict[str, Any]):
    assert subscriber.cannot("switch", **body) == (400, "VALIDATION_ERROR")


def test_a_price_that_no_setting_names_is_recognised_by_its_interval(
    subscriber: Subscriber, matrix: dict[str, str], app: Flask
):
    _has(subscriber, matrix["SUB_PRO_MONTH_EUR"])
    settings: Settings = app.config["SETTINGS"]
    known = {name: price for name, price in settings.stripe_prices.items() if name not in matrix}
    app.config["SETTINGS"] = replace(settings, stripe_prices=known)

    subscriber.do("reconcile")

    assert subscriber.status()["interval"] == "month"


def test_two_shops_subscribe_apart(stripe_world: StripeWorld, client: Any, subscriber: Subscriber):
    other = a_subscriber(stripe_world, client)
    subscriber.subscribe("pro")

    assert other.status()["active"] is False
    assert other.subscribe("starter") != subscriber.id
    assert (other.status()["planType"], subscriber.status()["planType"]) == ("starter", "pro")


def _has(subscriber: Subscriber, price_id: str) -> None:
    """Our staff has given the shop a plan that we only recognise."""
    subscriber.subscribe("starter")
    subscriber.world.client().v1.subscriptions.update(*_onto(subscriber, price_id))
    subscriber.hear()


def _onto(subscriber: Subscriber, price_id: str) -> tuple[str, Any]:
    item = subscriber.world.object("subscription", subscriber.id)["items"]["data"][0]["id"]
    return subscriber.id, {"items": [{"id": item, "price": price_id}]}
