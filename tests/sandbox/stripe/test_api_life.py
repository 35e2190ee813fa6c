"""Lives by a seed: whatever is done in whatever order, Stripe's own books agree and every change was told."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import stripe

from tests.sandbox.stripe.till import session
from tests.stripe_world import CARD, DECLINED, FAILS_LATER, SECURE, SEPA, StripeWorld

CARDS = (CARD, CARD, CARD, SECURE, FAILS_LATER, SEPA, DECLINED)
PRICES = ("price_sandbox_starter_eur", "price_sandbox_pro_eur")
SEEDS = range(8)
STEPS = 40
# These are told of whenever they change; what an event shows last is what they are.
TOLD = {
    "checkout.session": ("status", "payment_status", "amount_total", "subscription"),
    "subscription": ("status", "items", "cancel_at_period_end", "schedule", "latest_invoice", "metadata"),
    "invoice": ("status", "amount_paid", "attempt_count", "number"),
    "charge": ("status", "amount_refunded", "refunded", "disputed"),
    "payment_intent": ("status", "amount_received", "latest_charge"),
    "refund": ("status", "amount"),
    "dispute": ("status", "amount"),
    "customer": ("email", "address", "balance"),
}


class Life:
    """One random thing after another; what Stripe refuses is no matter."""

    def __init__(self, world: StripeWorld, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)  # noqa: S311 -- repeatable on purpose
        self.refused: Counter[str] = Counter()
        self.customer = world.client().v1.customers.create({"email": "maria@example.com"}).id

    def step(self) -> None:
        deeds: tuple[Callable[[], object], ...] = (
            self.buy, self.subscribe, self.time, self.time, self.refund, self.dispute, self.close,
            self.change, self.schedule, self.release, self.end, self.stop, self.mend, self.settle,
            self.expire,
        )  # fmt: skip
        deed = self.chance.choice(deeds)
        try:
            deed()
        except (stripe.StripeError, AssertionError, IndexError) as refusal:
            self.refused[type(refusal).__name__] += 1

    def buy(self) -> None:
        made = session(self.world, customer=self.customer)
        if self.chance.random() < 0.8:
            self.world.pay(made.id, card=self.chance.choice(CARDS))

    def subscribe(self) -> None:
        lines = [{"price": self.chance.choice(PRICES), "quantity": 1}]
        made = session(self.world, customer=self.customer, mode="subscription", line_items=lines)
        self.world.pay(made.id, card=self.chance.choice(CARDS))

    def time(self) -> None:
        self.world.advance(days=self.chance.choice((0.2, 2, 5, 31, 40, 200)))

    def refund(self) -> None:
        cents = self.chance.choice((None, 1, 1000, 2790))
        self.world.refund(self.one("payment_intent"), cents, fails=self.chance.random() < 0.2)

    def dispute(self) -> None:
        self.world.dispute(self.one("payment_intent"))

    def close(self) -> None:
        self.world.close_dispute(self.one("dispute"), won=self.chance.random() < 0.5)

    def change(self) -> None:
        number = self.one("subscription")
        item = self.world.object("subscription", number)["items"]["data"][0]["id"]
        how = self.chance.choice(("error_if_incomplete", "allow_incomplete", "pending_if_incomplete"))
        proration = self.chance.choice(("always_invoice", "create_prorations", "none"))
        items = [{"id": item, "price": self.chance.choice(PRICES), "quantity": self.chance.choice((1, 2))}]
        wish: Any = {"items": items, "payment_behavior": how, "proration_behavior": proration}
        self.world.client().v1.subscriptions.update(number, wish)

    def schedule(self) -> None:
        schedules = self.world.client().v1.subscription_schedules
        made = schedules.create({"from_subscription": self.one("subscription")})
        now = made.phases[0]
        items = [{"price": now["items"][0].price, "quantity": 1}]
        present = {"start_date": now.start_date, "end_date": now.end_date, "items": items}
        wish: Any = {"phases": [present, {"items": [{"price": self.chance.choice(PRICES), "quantity": 1}]}]}
        schedules.update(made.id, wish)

    def release(self) -> None:
        self.world.client().v1.subscription_schedules.release(self.one("subscription_schedule"))

    def end(self) -> None:
        wish: Any = {"cancel_at_period_end": self.chance.random() < 0.6}
        self.world.client().v1.subscriptions.update(self.one("subscription"), wish)

    def stop(self) -> None:
        if self.chance.random() < 0.4:
            self.world.client().v1.subscriptions.cancel(self.one("subscription"))

    def mend(self) -> None:
        if self.chance.random() < 0.5:
            self.world.mend_renewals(self.one("subscription"))
        else:
            self.world.fail_renewals(self.one("subscription"))

    def settle(self) -> None:
        self.world.settle(self.one("checkout.session"), succeeded=self.chance.random() < 0.5)

    def expire(self) -> None:
        self.world.expire(self.one("checkout.session"))

    def one(self, kind: str) -> str:
        return str(self.chance.choice(self.world.objects(kind)[:6])["id"])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_books_agree_and_everything_was_told(world: StripeWorld, seed: int):
    life = Life(world, seed)

    for _ in range(STEPS):
        life.step()

    assert sum(life.refused.values()) < STEPS
    _require_balance(world)
    _require_told(world)


def _require_balance(world: StripeWorld) -> None:
    refunds: Counter[str] = Counter()
    for refund in world.objects("refund"):
        refunds[refund["charge"]] += refund["amount"] if refund["status"] == "succeeded" else 0
    charges = {charge["id"]: charge for charge in world.objects("charge")}
    for number, charge in charges.items():
        assert charge["amount_refunded"] == refunds[number] <= charge["amount_captured"], number
    intents = {intent["id"]: intent for intent in world.objects("payment_intent")}
    taken = Counter(one["payment_intent"] for one in charges.values() if one["status"] == "succeeded")
    for number, intent in intents.items():
        assert taken[number] == (intent["status"] == "succeeded"), number
    payments = {one["invoice"]: one for one in world.objects("invoice_payment")}
    for invoice in world.objects("invoice"):
        assert invoice["total"] == sum(line["amount"] for line in invoice["lines"]["data"])
        if invoice["status"] == "paid" and invoice["amount_due"]:
            intent = intents[payments[invoice["id"]]["payment"]["payment_intent"]]
            assert (intent["status"], intent["amount"]) == ("succeeded", invoice["amount_paid"])
    for one in world.objects("subscription"):
        assert one["items"]["data"], one["id"]
        is_over = one["status"] == "canceled"
        ends = min(item["current_period_end"] for item in one["items"]["data"])
        assert is_over or ends > world.ask("GET", "/clock")["now"] - 5, one["id"]


def _require_told(world: StripeWorld) -> None:
    shown: dict[tuple[str, str], dict[str, Any]] = {}
    events = world.pull()
    moments = [event["created"] for event in events]
    for event in events:
        about = event["data"]["object"]
        shown[about["object"], about["id"]] = about
    assert moments == sorted(moments)
    for kind, members in TOLD.items():
        for one in world.objects(kind):
            last = shown.get((kind, one["id"]), {})
            never = kind == "checkout.session" and one["status"] == "open"
            told = {member: last.get(member) for member in members}
            assert never or told == {member: one[member] for member in members}, (kind, one["id"])


def test_two_clicks_at_once_pay_once(world: StripeWorld):
    made = session(world)
    address = f"{world.url}/sandbox/stripe/do/pay"

    answers = _at_once(4, lambda: requests.post(address, json={"session": made.id}, timeout=20).ok)

    assert sorted(answers) == [False, False, False, True]
    assert len(world.objects("charge")) == 1


def _at_once(count: int, ask: Callable[[], bool]) -> list[bool]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: ask(), range(count)))
