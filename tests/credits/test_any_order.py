"""Whatever is done in whatever order, the books balance after every step and equal a plain model of them."""

from __future__ import annotations

from collections import defaultdict

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.core.uow import unit_of_work
from app.credits import service as credits
from app.credits.errors import InsufficientCredits
from app.credits.service import SpentMessage
from tests import build
from tests.credits.books import assert_books_balance, balance, free

RUNS = st.sampled_from([1, 2])
AMOUNTS = st.integers(1, 40)
SHARES = st.floats(0.01, 1)


class Books(RuleBasedStateMachine):
    """One shop, two runs. The model keeps, for each run, what is held and spent by where it came from."""

    def __init__(self) -> None:
        super().__init__()
        self.shop = build.a_shop(plan=None)
        self.wallet = self.allowance = self.used = 0
        self.bought = self.debt = self.taken_back = 0
        self.held: dict[int, list[int]] = defaultdict(lambda: [0, 0])  # of the allowance, of the wallet
        self.spent: dict[int, list[int]] = defaultdict(lambda: [0, 0])

    def key(self) -> str:
        self.used += 1
        return f"step:{self.used}"

    @rule(amount=AMOUNTS)
    def grant(self, amount: int) -> None:
        with unit_of_work(self.shop.id):
            credits.grant(self.shop.id, amount, key=self.key(), reason="gift")
        self.wallet += amount

    @rule(amount=AMOUNTS)
    def buy(self, amount: int) -> None:
        with unit_of_work(self.shop.id):
            credits.purchase(self.shop.id, amount, key=self.key(), reason="package")
        self.bought += amount
        self._add(amount)

    @precondition(lambda self: self.bought)
    @rule(share=SHARES)
    def take_back(self, share: float) -> None:
        amount = max(1, int(self.bought * share))
        with unit_of_work(self.shop.id):
            credits.reverse(self.shop.id, amount, key=self.key(), reason="money back")
        taken = min(amount, self.wallet)
        self.wallet -= taken
        self.debt += amount - taken
        self.bought -= amount
        self.taken_back += amount

    @precondition(lambda self: self.taken_back)
    @rule(share=SHARES)
    def give_again(self, share: float) -> None:
        amount = max(1, int(self.taken_back * share))
        with unit_of_work(self.shop.id):
            credits.reinstate(self.shop.id, amount, key=self.key(), reason="dispute won")
        self.bought += amount
        self.taken_back -= amount
        self._add(amount)

    def _add(self, amount: int) -> None:
        settled = min(self.debt, amount)
        self.debt -= settled
        self.wallet += amount - settled

    @rule(included=AMOUNTS)
    def begin_period(self, included: int) -> None:
        with unit_of_work(self.shop.id):
            credits.start_allowance_period(self.shop.id, included, period=self.key())
        self.allowance = included

    @rule(run=RUNS, amount=AMOUNTS)
    def hold(self, run: int, amount: int) -> None:
        if amount > self.wallet + self.allowance:
            with pytest.raises(InsufficientCredits), unit_of_work(self.shop.id):
                credits.hold(self.shop.id, run, amount, key=self.key())
            return
        with unit_of_work(self.shop.id):
            credits.hold(self.shop.id, run, amount, key=self.key())
        of_allowance = min(self.allowance, amount)
        self.allowance -= of_allowance
        self.wallet -= amount - of_allowance
        self.held[run][0] += of_allowance
        self.held[run][1] += amount - of_allowance

    @precondition(lambda self: any(sum(left) for left in self.held.values()))
    @rule(share=SHARES, one_by_one=st.booleans())
    def capture(self, share: float, one_by_one: bool) -> None:
        run = next(run for run, left in self.held.items() if sum(left))
        amount = max(1, int(sum(self.held[run]) * share))
        with unit_of_work(self.shop.id):
            if one_by_one:
                messages = [SpentMessage(self._message(), 1) for _ in range(amount)]
                credits.capture_messages(self.shop.id, run, messages)
            else:
                credits.capture(self.shop.id, run, amount, key=self.key())
        of_allowance = min(self.held[run][0], amount)
        for place, taken in enumerate((of_allowance, amount - of_allowance)):
            self.held[run][place] -= taken
            self.spent[run][place] += taken

    @precondition(lambda self: any(sum(left) for left in self.held.values()))
    @rule(share=SHARES)
    def release(self, share: float) -> None:
        run = next(run for run, left in self.held.items() if sum(left))
        amount = max(1, int(sum(self.held[run]) * share))
        with unit_of_work(self.shop.id):
            credits.release(self.shop.id, run, amount, key=self.key())
        of_wallet = min(self.held[run][1], amount)
        self.held[run][1] -= of_wallet
        self.held[run][0] -= amount - of_wallet
        self.wallet += of_wallet
        self.allowance += amount - of_wallet

    @precondition(lambda self: any(sum(gone) for gone in self.spent.values()))
    @rule(share=SHARES, in_parts_of=st.integers(1, 5))
    def refund(self, share: float, in_parts_of: int) -> None:
        run = next(run for run, gone in self.spent.items() if sum(gone))
        amount = max(1, int(sum(self.spent[run]) * share))
        parts = [in_parts_of] * (amount // in_parts_of) + [amount % in_parts_of]
        messages = [SpentMessage(self._message(), size) for size in parts if size]
        with unit_of_work(self.shop.id):
            credits.refund_messages(self.shop.id, run, messages)
        of_wallet = min(self.spent[run][1], amount)
        self.spent[run][1] -= of_wallet
        self.spent[run][0] -= amount - of_wallet
        self.wallet += of_wallet
        self.allowance += amount - of_wallet

    def _message(self) -> int:
        self.used += 1
        return self.used

    @invariant()
    def the_books_balance(self) -> None:
        assert free(self.shop) == (
            self.wallet,
            self.allowance,
            sum(map(sum, self.held.values())),
            sum(map(sum, self.spent.values())),
        )
        assert (balance(self.shop).purchased, balance(self.shop).debt) == (self.bought, self.debt)
        assert_books_balance()


def test_the_books_balance_in_any_order(app: Flask):
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=6,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
