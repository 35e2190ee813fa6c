"""Real threads on real connections: nothing is spent twice, nobody waits for ever."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask

from app.core.uow import unit_of_work
from app.credits import service as credits
from app.credits.errors import InsufficientCredits
from app.credits.service import SpentMessage
from tests.core.threads import Background, all_at_once, until_blocked
from tests.credits.books import a_wallet, assert_books_balance, free

THREADS = 16


def test_racing_holds_never_overdraw(app: Flask):
    shop = a_wallet(70, allowance=30)

    def hold(number: int) -> None:
        with unit_of_work(shop.id):
            credits.hold(shop.id, number, 9, key=f"run:{number}:hold")

    results = all_at_once(app, THREADS, hold)

    assert results.count(None) == 11
    assert sum(isinstance(result, InsufficientCredits) for result in results) == THREADS - 11
    assert free(shop) == (1, 0, 99, 0)
    assert_books_balance()


def test_the_same_grant_from_many_threads_is_given_once(app: Flask):
    shop = a_wallet(1)

    def grant(_number: int) -> bool:
        with unit_of_work(shop.id):
            return credits.grant(shop.id, 10, key="stripe:1", reason="package")

    results = all_at_once(app, THREADS, grant)

    assert sorted(results) == [False] * (THREADS - 1) + [True]
    assert free(shop)[0] == 11
    assert_books_balance()


def test_the_same_hold_from_many_threads_holds_once(app: Flask):
    shop = a_wallet(1_000)

    def hold(_number: int) -> None:
        with unit_of_work(shop.id):
            credits.hold(shop.id, 7, 10, key="run:7:hold")

    assert all_at_once(app, THREADS, hold) == [None] * THREADS
    assert free(shop) == (990, 0, 10, 0)
    assert_books_balance()


def test_the_first_accounts_of_a_shop_can_be_made_by_all_at_once(app: Flask):
    shop = a_wallet(0)

    def move(number: int) -> None:
        with unit_of_work(shop.id):
            if number % 2:
                credits.grant(shop.id, 5, key=f"grant:{number}", reason="gift")
            else:
                credits.start_allowance_period(shop.id, 5, period=str(number))

    assert all_at_once(app, THREADS, move) == [None] * THREADS
    assert free(shop)[:2] == (40, 5)
    assert_books_balance()


def test_every_kind_of_movement_at_once_meets_no_deadlock(app: Flask):
    shop = a_wallet(1_000, allowance=100)
    with unit_of_work(shop.id):
        for run in range(THREADS):
            credits.hold(shop.id, run, 20, key=f"run:{run}:hold")
            credits.capture(shop.id, run, 5, key=f"run:{run}:first")

    def move(number: int) -> None:
        for turn in range(3):
            with unit_of_work(shop.id):
                _one_movement(shop.id, number, turn)

    assert all_at_once(app, THREADS, move) == [None] * THREADS
    assert_books_balance()


def _one_movement(shop_id: int, number: int, turn: int) -> None:
    kind, key = number % 6, f"{number}:{turn}"
    if kind == 0:
        credits.grant(shop_id, 3, key=key, reason="gift")
    elif kind == 1:
        credits.hold(shop_id, 100 + number, 3, key=key)
    elif kind == 2:
        credits.capture(shop_id, number, 3, key=key)
    elif kind == 3:
        credits.release(shop_id, number, 3, key=key)
    elif kind == 4:
        credits.refund_messages(shop_id, number, [SpentMessage(1_000 * number + turn, 1)])
    else:
        credits.start_allowance_period(shop_id, 50, period=key)


def test_a_hold_that_grows_while_it_is_settled_meets_no_deadlock(app: Flask, owner: sa.Engine):
    shop = a_wallet(1_000)
    with unit_of_work(shop.id):
        credits.hold(shop.id, 7, 20, key="run:7:hold")

    def settle() -> None:
        with unit_of_work(shop.id):
            credits.capture(shop.id, 7, 5, key="run:7:capture")

    def grow() -> None:
        with unit_of_work(shop.id):
            credits.hold(shop.id, 7, 5, key="run:7:retry")

    with owner.connect() as gate, gate.execution_options(isolation_level="READ COMMITTED").begin() as closed:
        gate.exec_driver_sql("SELECT set_config('app.all_shops', 'on', true)")
        gate.exec_driver_sql("SELECT 1 FROM credit_holds FOR UPDATE")
        settling = Background(app, settle)
        until_blocked(owner, 1)
        growing = Background(app, grow)
        until_blocked(owner, 2)
        closed.rollback()

    settling.result()
    growing.result()
    assert free(shop) == (975, 0, 20, 5)
