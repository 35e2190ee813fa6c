"""A merchant at the billing page, beside the pretend Stripe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient

from app.core import clock
from app.core.redis import redis_client
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.integrations.stripe.events import StripeEvent
from app.shops.models import Shop
from app.subscriptions.models import Subscription
from app.subscriptions.service import sweeping
from app.subscriptions.service.events import HANDLERS
from tests import build
from tests.stripe_world import StripeWorld

ALLOWANCES = sa.text("""
    SELECT t.key, t.amount FROM ledger_transfers t
    WHERE t.shop_id = :shop_id AND t.kind = 'allowance' ORDER BY t.id""")
RUN = iter(range(1_000_000, 2_000_000))


@dataclass
class Subscriber:
    """`data` insists on success, `refused` on a refusal: (status, code)."""

    world: StripeWorld
    client: FlaskClient
    shop: Shop
    headers: dict[str, str]

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.open(path, method=method, json=body, headers={**self.headers, **headers})

    def data(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = self.call(method, path, body, **headers)
        assert answer.status_code in {200, 201}, answer.json
        return answer.json["data"]

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        answer = self.call(method, path, body)
        assert answer.json["success"] is False, answer.json
        return answer.status_code, answer.json["code"]

    def status(self) -> Any:
        return self.data("GET", "/subscriptions/status")

    def do(self, action: str, **body: Any) -> Any:
        return self.data("POST", f"/subscriptions/{action}", body or None)

    def cannot(self, action: str, **body: Any) -> tuple[int, str]:
        return self.refused("POST", f"/subscriptions/{action}", body or None)

    def pay_for(self, plan: str = "starter") -> str:
        """Subscribe and pay; the session's id. Nobody has told us yet."""
        session: str = self.do("subscribe", planType=plan)["sessionId"]
        self.world.pay(session)
        return session

    def subscribe(self, plan: str = "starter") -> str:
        """Subscribe, pay, come back; Stripe's id of the subscription. Its events are gone."""
        self.do("finalize", sessionId=self.pay_for(plan))
        self.world.pull()
        return self.id

    @property
    def row(self) -> Subscription:
        with unit_of_work(self.shop.id) as session:
            found = session.get(Subscription, self.shop.id)
        assert found is not None
        return found

    @property
    def id(self) -> str:
        assert self.row.stripe_subscription_id
        return self.row.stripe_subscription_id

    def hear(self, events: list[dict[str, Any]] | None = None) -> list[str]:
        """What the handlers say to these events, those of Stripe when none are given."""
        told = self.world.pull() if events is None else events
        return [
            HANDLERS[event["type"]](StripeEvent.from_payload(event))
            for event in told
            if event["type"] in HANDLERS
        ]

    def spend(self, amount: int) -> None:
        """Send texts for so many credits."""
        run = next(RUN)
        with unit_of_work(self.shop.id):
            credits.hold(self.shop.id, run, amount, key=f"run:{run}:hold")
            credits.capture(self.shop.id, run, amount, key=f"run:{run}:1")

    @property
    def left(self) -> int:
        left: int = self.status()["remainingSmsThisPeriod"]
        return left

    @property
    def allowances(self) -> list[int]:
        """What every period included, the first one first."""
        with unit_of_work(self.shop.id) as session:
            return [row.amount for row in session.execute(ALLOWANCES, {"shop_id": self.shop.id})]

    @contextmanager
    def later(self, **by: float) -> Iterator[None]:
        """Live that much later, and so does Stripe."""
        self.world.advance(**by)  # type: ignore[arg-type]
        ahead = timedelta(seconds=self.world.offset_seconds) - (clock.now() - datetime.now(UTC))
        with clock.moved(ahead):
            yield

    def at_stripe(self) -> dict[str, str]:
        """All subscriptions at Stripe, by id: their status."""
        return {one["id"]: one["status"] for one in self.world.objects("subscription")}

    def sweep(self) -> None:
        """What the doorbell of a replaced subscription does."""
        sweeping.cancel_superseded(self.shop.id)


def rung() -> set[str]:
    """The doorbells that wait to be answered."""
    return {key.decode().removeprefix("doorbell:") for key in redis_client().scan_iter("doorbell:*")}


def a_subscriber(world: StripeWorld, client: FlaskClient) -> Subscriber:
    shop = build.a_shop(plan=None)
    return Subscriber(world, client, shop, build.auth(shop))  # a token is not of the future
