"""What goes back of a payment takes its credits along: in proportion, and once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import ROUND_HALF_UP, Decimal

from flask import Flask
from flask.testing import FlaskClient

from app.purchases.service import reversing
from tests import build, build_messages
from tests.purchases.buying import Bought, balance, differences, hear, pay, purchase
from tests.stripe_world import StripeWorld


def bought_and_heard(stripe_world: StripeWorld, client: FlaskClient, credits: int = 1_000) -> Bought:
    bought = pay(stripe_world, client, build.a_shop(plan=None), credits)
    hear(stripe_world)
    return bought


def rule(credits: int, gone_cents: int, gross_cents: int) -> int:
    """The rule of issue 5, written down a second time."""
    share = Decimal(credits * gone_cents) / Decimal(gross_cents)
    return min(credits, int(share.quantize(Decimal(1), rounding=ROUND_HALF_UP)))


def test_half_the_money_back_takes_half_the_credits(stripe_world: StripeWorld, client: FlaskClient):
    bought = bought_and_heard(stripe_world, client)
    gross = purchase(bought).gross_cents

    stripe_world.refund(bought.payment, gross // 2)
    assert "reversed" in hear(stripe_world)

    assert balance(bought.shop).wallet == 1_000 - rule(1_000, gross // 2, gross) == 500
    row = purchase(bought)
    assert (row.status, row.refunded_cents, row.reversed_credits) == ("paid", gross // 2, 500)
    assert differences() == {}


def test_many_small_refunds_end_with_nothing_left(stripe_world: StripeWorld, client: FlaskClient):
    bought = bought_and_heard(stripe_world, client, 100)

    for cents in (33, 33, 33, 100):
        stripe_world.refund(bought.payment, cents)
        hear(stripe_world)
    stripe_world.refund(bought.payment)
    hear(stripe_world)

    assert balance(bought.shop).wallet == 0
    assert (purchase(bought).status, purchase(bought).reversed_credits) == ("refunded", 100)
    assert differences() == {}


def test_credits_that_were_spent_become_a_debt_that_the_next_purchase_pays(
    stripe_world: StripeWorld, client: FlaskClient
):
    bought = bought_and_heard(stripe_world, client)
    build_messages.people(bought.shop, 800)
    build_messages.a_run(bought.shop)

    stripe_world.refund(bought.payment)
    hear(stripe_world)
    assert (balance(bought.shop).wallet, balance(bought.shop).debt) == (0, 800)
    pay(stripe_world, client, bought.shop)
    hear(stripe_world)

    assert (balance(bought.shop).wallet, balance(bought.shop).debt) == (200, 0)
    assert differences() == {}


def test_a_dispute_takes_the_credits_and_a_won_one_gives_them_again(
    stripe_world: StripeWorld, client: FlaskClient
):
    bought = bought_and_heard(stripe_world, client)

    dispute = stripe_world.dispute(bought.payment)
    hear(stripe_world)
    assert (balance(bought.shop).wallet, purchase(bought).status) == (0, "refunded")
    stripe_world.close_dispute(dispute["id"], won=True)
    assert "reinstated" in hear(stripe_world)

    assert (balance(bought.shop).wallet, purchase(bought).status) == (1_000, "paid")
    assert differences() == {}


def test_a_lost_dispute_keeps_the_credits(stripe_world: StripeWorld, client: FlaskClient):
    bought = bought_and_heard(stripe_world, client)

    stripe_world.dispute(bought.payment, won=False)
    hear(stripe_world)

    assert (balance(bought.shop).wallet, purchase(bought).reversed_credits) == (0, 1_000)
    assert differences() == {}


def test_a_refund_that_is_heard_of_before_its_payment_credits_first(
    stripe_world: StripeWorld, client: FlaskClient
):
    bought = pay(stripe_world, client, build.a_shop(plan=None))
    stripe_world.refund(bought.payment, 1_000)
    gross = purchase(bought).gross_cents

    hear(stripe_world, list(reversed(stripe_world.pull())))

    assert balance(bought.shop).wallet == 1_000 - rule(1_000, 1_000, gross)
    assert differences() == {}


def test_a_payment_of_something_else_is_not_ours(stripe_world: StripeWorld, client: FlaskClient):
    api = stripe_world.client().v1
    customer = api.customers.create({})
    paid = api.payment_intents.create(
        {
            "amount": 900,
            "currency": "eur",
            "customer": customer.id,
            "payment_method": "pm_card_visa",
            "confirm": True,
        }
    )

    assert reversing.settle(paid.id) == "not_a_purchase"
    assert reversing.settle("pi_nothing") == "unmatched"
    assert reversing.settle(None) == "unmatched"


def test_twenty_events_at_once_take_the_credits_once(stripe_world: StripeWorld, app: Flask):
    bought = bought_and_heard(stripe_world, app.test_client())
    gross = purchase(bought).gross_cents
    stripe_world.refund(bought.payment, gross // 4)

    def ask(_: int) -> str:
        with app.app_context():
            for _attempt in range(50):
                try:
                    return reversing.settle(bought.payment)
                except reversing.PurchaseMoved:
                    continue
            return "never"

    with ThreadPoolExecutor(20) as pool:
        said = list(pool.map(ask, range(20)))

    assert said.count("reversed") == 1
    assert set(said) <= {"reversed", "unchanged"}
    assert balance(bought.shop).wallet == 1_000 - rule(1_000, gross // 4, gross)
    assert differences() == {}


def test_a_reading_that_was_overtaken_is_not_applied(stripe_world: StripeWorld, client: FlaskClient):
    bought = bought_and_heard(stripe_world, client)
    before = purchase(bought).version
    stripe_world.refund(bought.payment, 1_000)
    hear(stripe_world)
    left = balance(bought.shop).wallet

    found = reversing.Found(bought.shop.id, bought.id)
    assert reversing.follow(found, before, reversing.Returned(0, 0)) is None
    assert balance(bought.shop).wallet == left
