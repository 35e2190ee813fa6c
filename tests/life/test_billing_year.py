"""More than a year of a shop's billing, with the real client at a pretended Stripe, for many seeds.

BILLING_YEAR_SEEDS says how many; `make faults` plays two hundred.
"""

from __future__ import annotations

import os

import pytest
from flask.testing import FlaskClient

from tests.life.billing_year import Bought, Year, a_year
from tests.stripe_world import StripeWorld

SEEDS = int(os.environ.get("BILLING_YEAR_SEEDS", "6"))
REFUSED = (403, "SUBSCRIPTION_REQUIRED")


@pytest.mark.parametrize("seed", range(SEEDS))
def test_billing_year_balances_after_every_step_whatever_order_events_come_in(
    stripe_world: StripeWorld, client: FlaskClient, seed: int
) -> None:
    with a_year(stripe_world, client, seed) as year:
        subscribe_and_renew(year)
        bought = upgrade_and_buy(year)
        downgrade_when_the_year_is_over(year)
        fail_and_recover(year)
        cancel_and_resume(year)
        refund_and_dispute(year, bought)
        end(year)
        assert not {"dead", "unmatched", "wrong_mode"} & year.outcomes()


def subscribe_and_renew(year: Year) -> None:
    with year.step():
        year.subscribe("starter")
    standing(year, "active", "starter")
    sends_in = set(year.chance.sample(range(12), 2))
    for month in range(12):
        if month in sends_in:
            with year.step():
                year.send(year.chance.randint(1, 30))
        with year.step(may_be_late=True):
            year.pass_time(months=1, seconds=7200)
            year.books.begin_period("starter")
    with year.step():
        pass
    standing(year, "active", "starter")


def upgrade_and_buy(year: Year) -> Bought:
    old = status(year)["stripeSubscriptionId"]
    with year.step():
        change = year.data("POST", "/subscriptions/update", {"planType": "pro"})
        assert change["changeMode"] == "checkout"
        year.world.pay(change["checkoutUrl"])
        year.books.begin_period("pro")
    standing(year, "active", "pro")
    assert year.world.object("subscription", old)["status"] == "canceled"
    with year.step(may_be_late=True):
        bought = year.buy(1000)
    return bought


def downgrade_when_the_year_is_over(year: Year) -> None:
    with year.step():
        change = year.data("POST", "/subscriptions/switch", {"targetPlan": "starter"})
        assert (change["changeMode"], change["scheduled"]) == ("scheduled", True)
    assert status(year)["pendingChange"]["planCode"] == "starter"
    standing(year, "active", "pro")
    with year.step():
        year.pass_time(years=1, seconds=7200)
        year.books.begin_period("starter")
    standing(year, "active", "starter")


def fail_and_recover(year: Year) -> None:
    subscription = status(year)["stripeSubscriptionId"]
    year.world.fail_renewals(subscription)
    with year.step():
        year.pass_time(months=1, seconds=7200)
    standing(year, "past_due", "starter")
    assert status(year)["lastBillingError"]
    assert year.merchant.refused("POST", f"/campaigns/{year.merchant.a_campaign()}/enqueue") == REFUSED
    year.world.mend_renewals(subscription)
    with year.step():
        year.pass_time(days=8)
        year.books.begin_period("starter")
    standing(year, "active", "starter")
    assert status(year)["lastBillingError"] is None


def cancel_and_resume(year: Year) -> None:
    with year.step(may_be_late=True):
        year.data("POST", "/subscriptions/cancel")
    assert status(year)["cancelAtPeriodEnd"]
    with year.step():
        year.data("POST", "/subscriptions/resume")
    assert not status(year)["cancelAtPeriodEnd"]
    standing(year, "active", "starter")


def refund_and_dispute(year: Year, bought: Bought) -> None:
    with year.step(may_be_late=True):
        year.refund(bought, bought.gross_cents // 2)
    with year.step(may_be_late=True):
        second = year.buy(year.chance.randint(200, 900))
    with year.step():
        year.refund(second, year.chance.randint(1, second.gross_cents - 1))
    with year.step():
        year.dispute(second, won=True)
    with year.step(may_be_late=True):
        year.refund(bought, bought.gross_cents - bought.returned_cents)
    with year.step():
        year.refund(second, second.gross_cents - second.returned_cents)
    lose_what_is_sent(year)


def lose_what_is_sent(year: Year) -> None:
    """A purchase is partly sent, and its dispute lost: a debt, which the next purchase pays."""
    with year.step():
        third = year.buy(year.chance.randint(100, 300))
    with year.step():
        year.send(year.books.allowance + year.chance.randint(1, 60))
    with year.step():
        year.dispute(third, won=False)
    assert year.books.debt > 0
    with year.step():
        year.buy(year.books.debt + year.chance.randint(1, 500))
    assert year.books.debt == 0


def end(year: Year) -> None:
    with year.step():
        year.data("POST", "/subscriptions/cancel")
    with year.step():
        year.pass_time(months=1, seconds=7200)
        year.books.end()
    standing(year, "cancelled", "starter")


def standing(year: Year, word: str, plan: str) -> None:
    told = status(year)
    assert (told["status"], told["planType"]) == (word, plan)
    assert told["active"] is (word == "active")


def status(year: Year) -> dict[str, object]:
    return dict(year.data("GET", "/subscriptions/status"))
