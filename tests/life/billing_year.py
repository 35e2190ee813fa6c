"""A shop that pays at Stripe, month after month, while what Stripe tells arrives doubled, late and shuffled.

`Books` reckons by itself what the shop must have; it knows the rules of the product, and nothing of its code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient

from app.audit.checks import CHECKS
from app.audit.service import audit
from app.core import clock
from app.core.settings import settings
from app.core.uow import across_shops
from app.subscriptions.service import sweeping as subscriptions
from app.webhooks import jobs
from app.webhooks.service import inbox
from app.webhooks.service.stripe_topics import HANDLERS
from tests import build_messages
from tests.build_campaigns import Merchant, a_merchant, answer
from tests.stripe_world import FRONTEND, Event, StripeWorld

INCLUDED = {"starter": 100, "pro": 500}
LATE, TWICE, OTHERS = 0.2, 0.3, 0.1  # share of late steps, of doubled events, of what nobody handles
AGAIN = 1  # old events that are handled once more at each step
ROUNDS_MOST = 20
WAITING = sa.text("""
    UPDATE webhook_inbox SET available_at = now() - interval '1 second'
    WHERE processed_at IS NULL RETURNING id""")
DONE = sa.text(
    "SELECT id FROM webhook_inbox WHERE provider = 'stripe' AND outcome <> 'no_handler' ORDER BY id"
)
OUTCOMES = sa.text("SELECT DISTINCT outcome FROM webhook_inbox WHERE provider = 'stripe'")
PROOF = sa.text(" UNION ALL ".join(f"SELECT '{check.name}' WHERE EXISTS ({check.sql})" for check in CHECKS))


@dataclass
class Bought:
    """One purchase: what it gave, what it cost, what has gone back of it."""

    credits: int
    gross_cents: int
    payment_intent: str
    returned_cents: int = 0
    taken: int = 0


@dataclass
class Books:
    """What the shop must have."""

    wallet: int = 0
    allowance: int = 0
    debt: int = 0
    spent: int = 0

    def begin_period(self, plan: str) -> None:
        """Unused SMS of the period before lapse."""
        self.allowance = INCLUDED[plan]

    def end(self) -> None:
        self.allowance = 0

    def spend(self, parts: int) -> None:
        """Included SMS first."""
        of_allowance = min(self.allowance, parts)
        self.allowance -= of_allowance
        self.wallet -= parts - of_allowance
        self.spent += parts

    def give(self, credits: int) -> None:
        """A debt is paid first."""
        settled = min(self.debt, credits)
        self.debt -= settled
        self.wallet += credits - settled

    def take(self, credits: int) -> None:
        """What the wallet does not have any more is owed."""
        taken = min(self.wallet, credits)
        self.wallet -= taken
        self.debt += credits - taken

    def follow(self, bought: Bought, returned_cents: int) -> None:
        """So much of its price has gone back altogether: the credits follow in proportion, half up."""
        bought.returned_cents = returned_cents
        exact = 2 * bought.credits * returned_cents + bought.gross_cents
        due = min(bought.credits, exact // (2 * bought.gross_cents))
        if due > bought.taken:
            self.take(due - bought.taken)
        elif due < bought.taken:
            self.give(bought.taken - due)
        bought.taken = due


@dataclass
class Year:
    """One shop's life with Stripe, by a seed."""

    world: StripeWorld
    client: FlaskClient
    chance: Random
    merchant: Merchant
    books: Books = field(default_factory=Books)
    late: list[Event] = field(default_factory=list)
    steps: int = 0
    time: ExitStack = field(default_factory=ExitStack)

    # what the merchant does

    def subscribe(self, plan: str) -> None:
        asked = {"planType": plan}
        self.world.pay(self.data("POST", "/subscriptions/subscribe", asked)["checkoutUrl"])
        self.books.begin_period(plan)

    def buy(self, credits: int) -> Bought:
        """A top-up, paid at once."""
        back = {
            "successUrl": f"{FRONTEND}/ok?session_id={{CHECKOUT_SESSION_ID}}",
            "cancelUrl": f"{FRONTEND}/no",
        }
        begun = self.data("POST", "/billing/topup", {"credits": credits, **back})
        paid = self.world.pay(begun["checkoutUrl"])
        self.books.give(credits)
        return Bought(credits, paid["amount_total"], str(paid["payment_intent"]))

    def send(self, people: int) -> None:
        """A campaign to so many people, one part each. It takes from what has been told of by then."""
        if self.late:
            self.deliver()
        build_messages.people(self.merchant.shop, people)
        campaign = self.merchant.a_campaign()
        self.data("POST", f"/campaigns/{campaign}/enqueue")
        sent = self.merchant.runs()[-1].pending
        answer(self.merchant, "a" * sent)
        self.books.spend(sent)
        build_messages.execute(self.merchant.shop, "UPDATE contacts SET consent = 'unknown'")

    def data(self, method: str, path: str, body: Any = None) -> Any:
        return self.merchant.data(method, path, body)

    # what banks and time do

    def refund(self, bought: Bought, cents: int) -> None:
        self.world.refund(bought.payment_intent, cents)
        self.books.follow(bought, bought.returned_cents + cents)

    def dispute(self, bought: Bought, *, won: bool) -> None:
        """Of what is left of it. While it is open, and when it is lost, the money is gone."""
        cents = bought.gross_cents - bought.returned_cents
        opened = self.world.dispute(bought.payment_intent, cents)
        if self.chance.random() < 0.5:
            self.books.follow(bought, bought.returned_cents + cents)
            self.deliver()
            self.world.close_dispute(opened["id"], won=won)
            if won:
                self.books.follow(bought, bought.returned_cents - cents)
            return
        self.world.close_dispute(opened["id"], won=won)
        if not won:
            self.books.follow(bought, bought.returned_cents + cents)

    def pass_time(self, **by: float) -> None:
        """Stripe's time and ours."""
        self.world.advance(**by)
        self.time.close()
        self.time.enter_context(clock.moved(timedelta(seconds=self.world.offset_seconds)))

    # what arrives

    @contextmanager
    def step(self, *, may_be_late: bool = False) -> Iterator[None]:
        """Something happens; then Stripe tells of it, and everything must be right.

        A late step is told of together with the next one, in any order. Until then only the books must
        balance.
        """
        self.steps += 1
        yield
        if may_be_late and self.chance.random() < LATE:
            self.late += self._told()
            self._prove()
            return
        self.deliver()
        self.check()

    def deliver(self) -> None:
        """All events, in any order, some of them twice; in the middle and at the end they are worked on."""
        events = [*self.late, *self._told()]
        self.late = []
        events += [event for event in events if self.chance.random() < TWICE]
        self.chance.shuffle(events)
        middle = self.chance.randint(0, len(events))
        self._post(events[:middle])
        if self.chance.random() < 0.3:
            self._work()
            self._prove()
        self._post(events[middle:])
        self._repeat()
        self._work()

    def check(self) -> None:
        """Our books against those of the product."""
        self._prove()
        is_now = build_messages.balance_of(self.merchant.shop)
        found = Books(is_now.wallet, is_now.allowance, is_now.debt, is_now.spent)
        assert (found, is_now.held) == (self.books, 0), f"step {self.steps}: {found} {self.books}"

    def _prove(self) -> None:
        """Every promise of the product to itself: the audit's own questions, asked at once."""
        with across_shops("a test proves the books", snapshot=True) as session:
            broken = session.scalars(PROOF, {"lease_seconds": settings().claim_lease_seconds}).all()
        wrong = {one.check.name: list(one.examples) for one in audit() if one.differences} if broken else {}
        assert not broken, f"step {self.steps}: {wrong or broken}"

    def outcomes(self) -> set[str]:
        """What became of all events."""
        with across_shops("a test looks at the inbox") as session:
            return set(session.scalars(OUTCOMES))

    def _told(self) -> list[Event]:
        """What we listen to, and now and then something else."""
        return [
            event for event in self.world.pull() if event["type"] in HANDLERS or self.chance.random() < OTHERS
        ]

    def _post(self, events: list[Event]) -> None:
        answers = self.world.post(self.client, events)
        assert [one.status_code for one in answers] == [200] * len(events)

    def _repeat(self) -> None:
        """Old events are handled once more, as after an operator's replay."""
        with across_shops("a test looks at the inbox") as session:
            old = list(session.scalars(DONE))
        inbox.replay_events(self.chance.sample(old, min(AGAIN, len(old))))

    def _work(self) -> None:
        """Until nothing waits: what was put off is due at once."""
        for _ in range(ROUNDS_MOST):
            with across_shops("a test lets time pass") as session:
                waiting = session.scalars(WAITING).all()
            if not waiting:
                subscriptions.cancel_superseded(self.merchant.shop.id)
                return
            jobs.apply_stripe()
        raise AssertionError(f"events still wait: {waiting}")


@contextmanager
def a_year(world: StripeWorld, client: FlaskClient, seed: int) -> Iterator[Year]:
    """A new shop with an empty wallet and no plan."""
    merchant = a_merchant(client, wallet=0, plan=None)
    year = Year(world, client, Random(seed), merchant)  # noqa: S311
    with year.time:
        yield year
