"""The ledger: every posting once, nothing lost, nothing below zero, back to where it came from."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.database import db
from app.core.uow import NoUnitOfWork, across_shops, unit_of_work
from app.credits import service as credits
from app.credits.errors import InsufficientCredits, TransferKeyReused
from app.credits.service import SpentMessage
from tests import build, databases
from tests.credits.books import a_wallet, assert_books_balance, balance, free, transfers

RUN = 7
Post = Callable[[int], object]


def do(shop_id: int, *steps: Post) -> None:
    """The steps in one unit of work."""
    with unit_of_work(shop_id):
        for step in steps:
            step(shop_id)


def hold(amount: int, run: int = RUN, key: str = "hold") -> Post:
    return lambda shop_id: credits.hold(shop_id, run, amount, key=f"run:{run}:{key}")


def capture(amount: int, run: int = RUN, key: str = "1") -> Post:
    return lambda shop_id: credits.capture(shop_id, run, amount, key=f"run:{run}:capture:{key}")


def release(amount: int, run: int = RUN, key: str = "1") -> Post:
    return lambda shop_id: credits.release(shop_id, run, amount, key=f"run:{run}:release:{key}")


def refund(message_id: int, parts: int, run: int = RUN) -> Post:
    return lambda shop_id: credits.refund_messages(shop_id, run, [SpentMessage(message_id, parts)])


def a_new_period(shop_id: int) -> None:
    credits.start_allowance_period(shop_id, 9, period="second")


@pytest.mark.parametrize("give", [credits.grant, credits.purchase])
def test_credits_are_given_once_per_key(app: Flask, give: Callable[..., bool]):
    shop = build.a_shop(plan=None)

    given = []
    for _ in range(3):
        with unit_of_work(shop.id):
            given.append(give(shop.id, 50, key="gift", reason="welcome"))

    assert given == [True, False, False]
    assert balance(shop).wallet == 50
    assert [(one.key, one.amount, one.reason) for one in transfers(shop)] == [("gift", 50, "welcome")]


def test_the_same_key_with_another_amount_is_a_mistake(app: Flask):
    shop = a_wallet(50)

    with pytest.raises(TransferKeyReused), unit_of_work(shop.id):
        credits.grant(shop.id, 51, key="opening", reason="opening")

    assert balance(shop).wallet == 50


def test_two_shops_may_use_the_same_key(app: Flask):
    first, second = a_wallet(10), a_wallet(20)

    assert (balance(first).wallet, balance(second).wallet) == (10, 20)


def test_credits_whose_money_went_back_are_taken_once(app: Flask):
    shop = a_wallet(10)
    do(shop.id, lambda one: credits.purchase(one, 50, key="bought", reason="package"))

    taken = []
    for _ in range(3):
        with unit_of_work(shop.id):
            taken.append(credits.reverse(shop.id, 20, key="back", reason="refund"))

    assert taken == [True, False, False]
    assert (balance(shop).wallet, balance(shop).purchased, balance(shop).debt) == (40, 30, 0)
    assert_books_balance()


def test_what_was_spent_already_becomes_a_debt_that_the_next_purchase_pays(app: Flask):
    shop = build.a_shop(plan=None)
    do(shop.id, lambda one: credits.purchase(one, 50, key="bought", reason="package"), hold(40), capture(40))
    do(shop.id, lambda one: credits.reverse(one, 50, key="back", reason="dispute"))
    assert (balance(shop).wallet, balance(shop).debt) == (0, 40)
    assert_books_balance()

    do(shop.id, lambda one: credits.purchase(one, 30, key="again", reason="package"))
    assert (balance(shop).wallet, balance(shop).debt) == (0, 10)
    do(shop.id, lambda one: credits.purchase(one, 30, key="third", reason="package"))

    assert (balance(shop).wallet, balance(shop).debt, balance(shop).purchased) == (20, 0, 60)
    assert_books_balance()


def test_what_is_held_is_not_taken_back(app: Flask):
    shop = build.a_shop(plan=None)
    do(shop.id, lambda one: credits.purchase(one, 50, key="bought", reason="package"), hold(30))

    do(shop.id, lambda one: credits.reverse(one, 50, key="back", reason="refund"))

    assert (balance(shop).wallet, balance(shop).held, balance(shop).debt) == (0, 30, 30)


def test_a_dispute_that_was_won_gives_back_what_it_took(app: Flask):
    shop = build.a_shop(plan=None)
    do(shop.id, lambda one: credits.purchase(one, 50, key="bought", reason="package"), hold(40), capture(40))
    do(shop.id, lambda one: credits.reverse(one, 50, key="back", reason="dispute"))

    for _ in range(2):
        do(shop.id, lambda one: credits.reinstate(one, 50, key="won", reason="dispute won"))

    assert (balance(shop).wallet, balance(shop).debt, balance(shop).purchased) == (10, 0, 50)
    assert_books_balance()


def test_what_was_bought_is_told_from_what_was_given(app: Flask):
    shop = a_wallet(10)
    with unit_of_work(shop.id):
        credits.purchase(shop.id, 1_000, key="stripe:pi_1", reason="package")

    assert (balance(shop).wallet, balance(shop).purchased) == (1_010, 1_000)


def test_every_step_needs_the_callers_unit_of_work(app: Flask):
    shop = a_wallet(10)

    for step in (hold(1), capture(1), release(1), refund(1, 1), credits.balance_of):
        with pytest.raises(NoUnitOfWork):
            step(shop.id)


def test_a_hold_takes_the_allowance_first(app: Flask):
    shop = a_wallet(100, allowance=30)

    do(shop.id, hold(50))

    assert free(shop) == (80, 0, 50, 0)
    assert {(one.source, one.target, one.amount) for one in transfers(shop) if one.kind == "hold"} == {
        ("allowance", "held", 30),
        ("wallet", "held", 20),
    }


def test_a_hold_that_the_allowance_covers_leaves_the_wallet_alone(app: Flask):
    shop = a_wallet(100, allowance=30)

    do(shop.id, hold(30))

    assert free(shop) == (100, 0, 30, 0)


def test_a_hold_of_more_than_there_is_is_refused_with_the_figures(app: Flask):
    shop = a_wallet(10, allowance=5)

    with pytest.raises(InsufficientCredits) as refused:
        do(shop.id, hold(16))

    assert free(shop) == (10, 5, 0, 0)
    assert (refused.value.status, refused.value.code) == (402, "INSUFFICIENT_CREDITS")
    assert refused.value.meta == {
        "remainingAllowance": 5,
        "availableCredits": 10,
        "totalAvailable": 15,
        "requiredCredits": 16,
        "missingCredits": 1,
    }


def test_a_hold_of_everything_is_allowed(app: Flask):
    shop = a_wallet(10, allowance=5)

    do(shop.id, hold(15))

    assert free(shop) == (0, 0, 15, 0)


def test_a_shop_without_any_account_has_nothing_to_hold(app: Flask):
    shop = build.a_shop(plan=None)

    with pytest.raises(InsufficientCredits):
        do(shop.id, hold(1))
    do(shop.id, hold(0))

    assert free(shop) == (0, 0, 0, 0)


def test_what_is_captured_is_spent_and_the_rest_goes_back_to_where_it_came_from(app: Flask):
    shop = a_wallet(100, allowance=30)

    do(shop.id, hold(50))
    do(shop.id, capture(10), release(25))
    # the allowance was spent first, so the wallet's part is given back first
    assert free(shop) == (100, 5, 15, 10)

    do(shop.id, capture(15, key="2"))
    assert free(shop) == (100, 5, 0, 25)
    assert_books_balance()


def test_a_refund_goes_back_to_where_it_came_from(app: Flask):
    shop = a_wallet(100, allowance=3)
    do(shop.id, hold(8), capture(8))
    assert free(shop) == (95, 0, 0, 8)

    do(shop.id, refund(1, 4))
    assert free(shop) == (99, 0, 0, 4)
    do(shop.id, refund(2, 4))
    assert free(shop) == (100, 3, 0, 0)
    assert_books_balance()


def test_many_messages_are_refunded_in_one_posting(app: Flask):
    shop = a_wallet(100, allowance=5)
    do(shop.id, hold(9), capture(9))

    with unit_of_work(shop.id):
        credits.refund_messages(shop.id, RUN, [SpentMessage(number, 3) for number in (1, 2, 3)])

    assert free(shop) == (100, 5, 0, 0)
    back = [one for one in transfers(shop) if one.kind == "refund"]
    assert {one.message_id for one in back} == {1, 2, 3}
    assert sum(one.amount for one in back) == 9
    assert_books_balance()


def test_a_capture_by_report_is_kept_with_its_message(app: Flask):
    shop = a_wallet(10)
    do(shop.id, hold(5))

    with unit_of_work(shop.id):
        credits.capture_messages(shop.id, RUN, [SpentMessage(1, 2), SpentMessage(2, 3)])

    captured = [(one.message_id, one.amount) for one in transfers(shop) if one.kind == "capture"]
    assert captured == [(1, 2), (2, 3)]
    assert free(shop) == (5, 0, 0, 5)
    assert_books_balance()


@pytest.mark.parametrize(
    "again",
    [
        capture(3),
        release(2),
        refund(1, 1),
        lambda shop_id: credits.capture_messages(shop_id, RUN, [SpentMessage(9, 1)]),
    ],
)
def test_the_same_settlement_twice_is_refused_whole(app: Flask, again: Post):
    shop = a_wallet(100)
    do(shop.id, hold(20), capture(3), release(2), refund(1, 1))
    with unit_of_work(shop.id):
        credits.capture_messages(shop.id, RUN, [SpentMessage(9, 1)])
    before = free(shop)

    with pytest.raises(TransferKeyReused):
        do(shop.id, again)

    assert free(shop) == before
    assert_books_balance()


@pytest.mark.parametrize("too_much", [capture(6), release(6), refund(1, 1)])
def test_no_more_comes_out_of_a_hold_than_went_in(app: Flask, too_much: Post):
    shop = a_wallet(100)
    do(shop.id, hold(5))

    with pytest.raises(Exception, match="check constraint"):
        do(shop.id, too_much)

    assert free(shop) == (95, 0, 5, 0)


def test_one_runs_hold_does_not_pay_for_another_run(app: Flask):
    shop = a_wallet(100)
    do(shop.id, hold(5, run=1), hold(50, run=2))

    with pytest.raises(Exception, match="check constraint"):
        do(shop.id, capture(6, run=1))

    do(shop.id, capture(5, run=1), release(50, run=2))
    assert free(shop) == (95, 0, 0, 5)


def test_nothing_is_captured_for_a_run_without_a_hold(app: Flask):
    shop = a_wallet(100)

    with pytest.raises(Exception, match="No row was found"):
        do(shop.id, capture(1))

    assert free(shop) == (100, 0, 0, 0)


def test_a_hold_can_grow(app: Flask):
    shop = a_wallet(100)

    do(shop.id, hold(5), capture(5))
    do(shop.id, hold(3, key="retry"))

    assert free(shop) == (92, 0, 3, 5)
    do(shop.id, capture(3, key="2"))
    assert_books_balance()


def test_the_same_hold_twice_holds_once(app: Flask):
    shop = a_wallet(100)

    do(shop.id, hold(5))
    do(shop.id, hold(5))

    assert free(shop) == (95, 0, 5, 0)
    assert_books_balance()


@pytest.mark.parametrize("spend", [hold(95, run=8), a_new_period])
def test_the_same_hold_twice_holds_once_whatever_happened_in_between(app: Flask, spend: Post):
    shop = a_wallet(100)
    do(shop.id, hold(5))
    do(shop.id, spend)
    before = free(shop)

    do(shop.id, hold(5))

    assert free(shop) == before


def test_a_failure_later_in_the_transaction_undoes_the_posting(app: Flask):
    shop = a_wallet(100)

    with pytest.raises(RuntimeError), unit_of_work(shop.id):
        credits.hold(shop.id, RUN, 50, key="run:7:hold")
        raise RuntimeError

    assert free(shop) == (100, 0, 0, 0)
    assert_books_balance()


def test_every_transfer_shows_the_balances_after_it(app: Flask):
    shop = a_wallet(100, allowance=30)
    do(shop.id, hold(50), capture(10), release(25), refund(1, 4))
    with unit_of_work(shop.id):
        credits.capture_messages(shop.id, RUN, [SpentMessage(2, 3), SpentMessage(3, 4)])

    balances: dict[str, int] = {}
    for one in transfers(shop):
        balances[one.source] = balances.get(one.source, 0) - one.amount
        balances[one.target] = balances.get(one.target, 0) + one.amount
        assert one.from_balance_after == balances[one.source], one
        assert one.to_balance_after == balances[one.target], one
    assert balances["held"] == free(shop)[2]


def test_a_new_period_lets_the_old_allowance_lapse_once(app: Flask):
    shop = a_wallet(0, allowance=30)
    do(shop.id, hold(10))

    for _ in range(3):
        do(shop.id, lambda shop_id: credits.start_allowance_period(shop_id, 100, period="second"))

    assert free(shop) == (0, 100, 10, 0)
    assert [(one.source, one.target, one.amount) for one in transfers(shop) if one.kind == "lapse"] == [
        ("allowance", "lapsed", 20)
    ]
    assert_books_balance()


def test_a_period_with_nothing_left_lapses_nothing(app: Flask):
    shop = a_wallet(0, allowance=30)
    do(shop.id, hold(30), capture(30))

    do(shop.id, lambda shop_id: credits.start_allowance_period(shop_id, 100, period="second"))

    assert free(shop) == (0, 100, 0, 30)
    assert not [one for one in transfers(shop) if one.kind == "lapse"]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger_transfers SET amount = 1", "DELETE FROM ledger_transfers", "DELETE FROM ledger_accounts"],
)
def test_the_application_cannot_rewrite_the_books(app: Flask, statement: str):
    shop = a_wallet(10)

    with db.engine.connect() as connection:
        refusal = databases.refusal_of_changes(connection)
    if refusal == "append-only" and "ledger_accounts" in statement:
        refusal = "violates foreign key"  # an owner may delete, were it not for the transfers
    with pytest.raises(Exception, match=refusal), unit_of_work(shop.id) as session:
        session.execute(sa.text(statement))


@pytest.mark.parametrize("amount", [0, -5])
def test_no_transfer_moves_nothing_or_backwards(app: Flask, amount: int):
    shop = a_wallet(10)

    for step in (hold(amount), lambda shop_id: credits.grant(shop_id, amount, key="odd", reason="odd")):
        try:
            do(shop.id, step)
        except InsufficientCredits:
            continue

    assert free(shop) == (10, 0, 0, 0)


def test_a_hold_is_stale_when_it_expired_with_something_left(app: Flask):
    stale, settled, fresh = a_wallet(10), a_wallet(10), a_wallet(10)
    for shop in (stale, settled, fresh):
        do(shop.id, hold(5))
    do(settled.id, capture(5))
    for shop in (stale, settled):
        with unit_of_work(shop.id) as session:
            session.execute(sa.text("UPDATE credit_holds SET expires_at = now() - interval '1 second'"))

    with across_shops("to sweep"):
        found = credits.stale_holds()

    assert [(one.shop_id, one.run_id, one.left_credits) for one in found] == [(stale.id, RUN, 5)]
    do(stale.id, lambda shop_id: credits.extend_hold(shop_id, RUN))
    with across_shops("to sweep"):
        assert credits.stale_holds() == []
