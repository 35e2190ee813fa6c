"""What both clients poll: the credits and the subscription."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.billing import service as billing
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.shops.models import Shop
from app.subscriptions.service import standing as subscriptions
from tests import build

MIRRORED = ("credits", "balance", "reserved", "available", "currency", "subscription")


def balance(client: FlaskClient, shop: Shop) -> dict[str, Any]:
    answer = client.get("/billing/balance", headers=build.auth(shop))
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json["data"]
    return data


def figures(client: FlaskClient, shop: Shop) -> tuple[int, int, int, int]:
    """Owned, reserved, available, and what is left of the allowance."""
    data = balance(client, shop)
    assert data["credits"] == data["balance"]
    left = data["subscription"]["remainingSmsThisPeriod"]
    return data["credits"], data["reserved"], data["available"], left


def test_the_balance_of_a_new_shop(client: FlaskClient):
    shop = build.a_shop()

    data = balance(client, shop)

    subscription = data.pop("subscription")
    assert data == {"credits": 0, "balance": 0, "reserved": 0, "available": 0, "currency": "EUR"}
    begins, ends = subscription.pop("currentPeriodStart"), subscription.pop("currentPeriodEnd")
    assert begins < ends
    assert begins.endswith("Z")
    assert subscription == {
        "active": True,
        "planType": "starter",
        "planCode": "starter",
        "status": "active",
        "interval": "month",
        "cancelAtPeriodEnd": False,
        "includedSmsPerPeriod": 100,
        "usedSmsThisPeriod": 0,
        "remainingSmsThisPeriod": 100,
        "billingCurrency": "EUR",
        "currency": "EUR",
        "pendingChange": None,
        "allowedActions": subscription["allowedActions"],
        "availableOptions": [],
        "lastBillingError": None,
        "stripeCustomerId": None,
        "stripeSubscriptionId": None,
        "lastFreeCreditsAllocatedAt": None,
        "plan": {"priceEur": 40, "freeCredits": 100},
        "derivedFrom": "db",
        "mismatchDetected": False,
        "lastSyncedAt": None,
        "sourceOfTruth": "local",
    }


def test_the_fields_are_repeated_at_top_level(client: FlaskClient):
    body = client.get("/billing/balance", headers=build.auth(build.a_shop())).json

    for name in MIRRORED:
        assert body[name] == body["data"][name]
    assert body["success"] is True


def test_a_shop_without_a_subscription_may_only_subscribe(client: FlaskClient):
    subscription = balance(client, build.a_shop(plan=None))["subscription"]

    assert subscription["active"] is False
    assert subscription["planType"] is None
    assert subscription["status"] == "inactive"
    assert subscription["pendingChange"] is None
    assert subscription["allowedActions"] == ["subscribe", "viewPlans"]
    assert subscription["remainingSmsThisPeriod"] == 0


@pytest.mark.parametrize(
    ("status", "active"),
    [("active", True), ("trialing", True), ("past_due", False), ("unpaid", False), ("cancelled", False)],
)
def test_only_an_active_or_trying_subscription_may_send(client: FlaskClient, status: str, active: bool):
    shop = build.a_shop()
    with unit_of_work(shop.id) as session:
        session.execute(sa.text("UPDATE subscriptions SET status = :status"), {"status": status})

    subscription = balance(client, shop)["subscription"]

    assert (subscription["status"], subscription["active"]) == (status, active)


def test_the_pro_plan_includes_more(client: FlaskClient):
    subscription = balance(client, build.a_shop(plan="pro"))["subscription"]

    assert (subscription["planCode"], subscription["interval"]) == ("pro", "year")
    assert subscription["includedSmsPerPeriod"] == subscription["remainingSmsThisPeriod"] == 500


def test_what_is_held_is_reserved_and_what_is_captured_is_gone(client: FlaskClient):
    shop = build.a_shop()
    billing.grant_credits(shop.id, 1_000, key="gift", reason="gift")
    assert figures(client, shop) == (1_000, 0, 1_000, 100)

    with unit_of_work(shop.id):
        credits.hold(shop.id, 7, 150, key="run:7:hold")
    assert figures(client, shop)[2:] == (950, 0)
    assert balance(client, shop)["subscription"]["usedSmsThisPeriod"] == 100

    with unit_of_work(shop.id):
        credits.capture(shop.id, 7, 120, key="run:7:1")
        credits.release(shop.id, 7, 30, key="run:7:release")
    assert figures(client, shop) == (980, 0, 980, 0)


def test_the_wallet_owns_what_it_has_reserved(client: FlaskClient):
    shop = build.a_shop(plan=None)
    billing.grant_credits(shop.id, 100, key="gift", reason="gift")

    with unit_of_work(shop.id):
        credits.hold(shop.id, 7, 30, key="run:7:hold")

    assert figures(client, shop) == (100, 30, 70, 0)


def test_what_is_held_of_the_allowance_is_not_owned_by_the_wallet(client: FlaskClient):
    shop = build.a_shop()

    with unit_of_work(shop.id):
        credits.hold(shop.id, 7, 60, key="run:7:hold")

    assert figures(client, shop) == (0, 0, 0, 40)


def test_the_balance_is_the_shops_own(client: FlaskClient):
    rich, poor = build.a_shop(), build.a_shop()
    billing.grant_credits(rich.id, 1_000, key="gift", reason="gift")

    assert balance(client, poor)["credits"] == 0


def test_the_allowance_of_a_period_starts_once(client: FlaskClient):
    shop = build.a_shop()

    for _ in range(3):
        subscriptions.start_allowance(shop.id)

    assert billing.balance(shop.id).allowance == 100


def test_polling_the_balance_writes_nothing(client: FlaskClient, owner: sa.Engine):
    shop = build.a_shop(plan=None)

    for _ in range(3):
        balance(client, shop)

    with unit_of_work(shop.id) as session:
        assert session.scalar(sa.text("SELECT count(*) FROM ledger_accounts")) == 0
