"""Whatever is paid, refunded and disputed, and however its events arrive: credits follow the money."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.shops.models import Shop
from tests import build, build_messages
from tests.purchases.buying import Bought, balance, differences, hear, pay, purchase
from tests.stripe_world import Event, StripeWorld

STEPS = 14


@dataclass
class Paid:
    """A payment and what happened to it at Stripe, by the test's own account."""

    bought: Bought
    credits: int
    gross: int
    refunded: int = 0
    disputes: dict[str, int] = field(default_factory=dict)  # those that are not won

    def left(self) -> int:
        """The credits that the money which stayed has bought."""
        gone = Decimal(self.refunded + sum(self.disputes.values()))
        share = (self.credits * gone / self.gross).quantize(Decimal(1), rounding=ROUND_HALF_UP)
        return self.credits - min(self.credits, int(share))


@dataclass
class Story:
    """One shop that buys and gets money back while its events arrive as chance wants."""

    stripe_world: StripeWorld
    client: FlaskClient
    chance: random.Random
    shop: Shop
    paid: list[Paid] = field(default_factory=list)
    open_disputes: list[tuple[Paid, str]] = field(default_factory=list)
    waiting: list[Event] = field(default_factory=list)

    def step(self) -> None:
        actions = [self.buy, self.give_back, self.give_back_in_vain, self.dispute, self.decide, self.spend]
        self.chance.choice(actions if self.paid else [self.buy])()
        self.deliver(some=True)

    def buy(self) -> None:
        credits = self.chance.choice([17, 100, 333, 1_000])
        bought = pay(self.stripe_world, self.client, self.shop, credits)
        self.paid.append(Paid(bought, credits, purchase(bought).gross_cents))

    def give_back(self) -> None:
        one = self.chance.choice(self.paid)
        if one.refunded < one.gross and not one.disputes:
            cents = self.chance.randint(1, one.gross - one.refunded)
            self.stripe_world.refund(one.bought.payment, cents)
            one.refunded += cents

    def give_back_in_vain(self) -> None:
        one = self.chance.choice(self.paid)
        if one.refunded < one.gross and not one.disputes:
            self.stripe_world.refund(one.bought.payment, one.gross - one.refunded, fails=True)

    def dispute(self) -> None:
        one = self.chance.choice(self.paid)
        if not one.disputes:
            cents = self.chance.choice([one.gross, one.gross // 3 + 1])
            made = self.stripe_world.dispute(one.bought.payment, cents)
            one.disputes[made["id"]] = cents
            self.open_disputes.append((one, made["id"]))

    def decide(self) -> None:
        if self.open_disputes:
            one, number = self.open_disputes.pop(self.chance.randrange(len(self.open_disputes)))
            won = self.chance.random() < 0.6
            self.stripe_world.close_dispute(number, won=won)
            if won:
                del one.disputes[number]

    def spend(self) -> None:
        """Reserve credits that no refund can take any more."""
        many = min(balance(self.shop).wallet, self.chance.randint(1, 40))
        if many:
            build_messages.execute(self.shop, "UPDATE contacts SET consent = 'unknown'")
            build_messages.people(self.shop, many)
            build_messages.a_run(self.shop)

    def deliver(self, *, some: bool) -> None:
        """Give events to their handlers: shuffled, some twice, and not all of them yet."""
        self.waiting += self.stripe_world.pull()
        self.chance.shuffle(self.waiting)
        many = self.chance.randint(0, len(self.waiting)) if some else len(self.waiting)
        now, self.waiting = self.waiting[:many], self.waiting[many:]
        repeated = [event for event in now if self.chance.random() < 0.3]
        hear(self.stripe_world, [*now, *repeated])


@pytest.mark.parametrize("seed", range(20))
def test_credits_follow_the_money_in_any_order(stripe_world: StripeWorld, app: Flask, seed: int):
    chance = random.Random(seed)  # noqa: S311  # a test that can be repeated
    story = Story(stripe_world, app.test_client(), chance, build.a_shop(plan=None))

    for _ in range(STEPS):
        story.step()
        assert differences() == {}
    story.deliver(some=False)

    kept = balance(story.shop)
    assert kept.purchased == sum(one.left() for one in story.paid)
    assert kept.wallet + kept.held - kept.debt == kept.purchased
    assert kept.wallet == 0 or kept.debt == 0
    assert differences() == {}
