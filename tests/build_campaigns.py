"""Builders of campaigns, and the calls that tests about them make."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.campaigns.models import Campaign
from app.core.database import db
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.credits.service import Balance
from app.integrations.mitto.types import Accepted, Rejected, Unclear
from app.messaging.provider import CallResult, Deferred, Outcome
from app.messaging.service import sending as senders
from app.shops.models import Shop
from app.subscriptions.models import Subscription
from app.subscriptions.service import standing as subscriptions
from tests import build

numbers = itertools.count(1)
MESSAGES = sa.text("SELECT * FROM messages WHERE shop_id = :shop_id ORDER BY id")
RUNS = sa.text("SELECT * FROM message_runs WHERE shop_id = :shop_id ORDER BY id")
FAR_AWAY = timedelta(days=30)


class Merchant:
    """The owner of a shop, signed in. `data` insists on success, `refused` on a refusal."""

    def __init__(self, client: FlaskClient, shop: Shop) -> None:
        self.client, self.shop, self.headers = client, shop, build.auth(shop)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.open(path, method=method, json=body, headers=sent)

    def data(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = self.call(method, path, body, **headers)
        assert answer.status_code in {200, 201}, answer.json
        return answer.json["data"]

    def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        answer = self.call(method, path, body, **headers)
        assert answer.json["success"] is False, answer.json
        return answer.status_code, answer.json["code"]

    def fault(self, method: str, path: str, body: Any = None) -> str:
        """The field that the refusal names first."""
        answer = self.call(method, path, body)
        assert answer.status_code == 400, answer.json
        return str(answer.json["details"][0]["field"])

    def a_campaign(self, **body: Any) -> str:
        """A campaign made over HTTP; its id."""
        given = {"name": f"Campaign {next(numbers)}", "message": "Hi {{firstName}}", **body}
        return str(self.data("POST", "/campaigns", given)["id"])

    def show(self, campaign_id: str) -> Any:
        return self.data("GET", f"/campaigns/{campaign_id}")

    def do(self, action: str, campaign_id: str, body: Any = None) -> Any:
        return self.call("POST", f"/campaigns/{campaign_id}/{action}", body)

    def balance(self) -> Balance:
        with unit_of_work(self.shop.id):
            return credits.balance_of(self.shop.id)

    def messages(self) -> Sequence[Any]:
        with unit_of_work(self.shop.id) as session:
            return session.execute(MESSAGES, {"shop_id": self.shop.id}).all()

    def runs(self) -> Sequence[Any]:
        with unit_of_work(self.shop.id) as session:
            return session.execute(RUNS, {"shop_id": self.shop.id}).all()


def a_merchant(client: FlaskClient, *, wallet: int = 1000, plan: str | None = "starter") -> Merchant:
    """A merchant with so many credits in the wallet and no allowance."""
    shop = subscriptions.create_shop(f"merchant-{next(numbers)}.myshopify.com", plan=plan)
    if wallet:
        with unit_of_work(shop.id):
            credits.grant(shop.id, wallet, key="test", reason="for a test")
    db.session.expunge_all()  # the shop keeps its values when a refused request rolls back
    return Merchant(client, shop)


def rewrite(merchant: Merchant, campaign_id: str, **columns: Any) -> None:
    """Put a campaign into a state that the API would take long to reach."""
    with unit_of_work(merchant.shop.id) as session:
        session.execute(sa.update(Campaign).where(Campaign.id == int(campaign_id)).values(**columns))


def unsubscribe(merchant: Merchant) -> None:
    """Let the subscription lapse."""
    with unit_of_work(merchant.shop.id) as session:
        session.execute(sa.update(Subscription).values(status="cancelled"))


def answer(merchant: Merchant, outcomes: str) -> None:
    """Let the newest run send one batch to a carrier that answers so, a letter for each message.

    a: accepted, r: rejected, u: unclear, d: to be tried again later.
    """
    run_id = merchant.runs()[-1].id
    batch = senders.claim(merchant.shop.id, run_id)
    assert batch is not None
    result = CallResult([_outcome(letter) for letter in outcomes], "answered", "bulk")
    senders.settle(merchant.shop.id, run_id, batch, result)


def _outcome(letter: str) -> Outcome:
    match letter:
        case "a":
            return Accepted(f"provider-{next(numbers)}")
        case "r":
            return Rejected("blocked")
        case "u":
            return Unclear()
        case _:
            return Deferred("busy", 0.0)


def later(**by: float) -> str:
    """A moment in the future, as one client writes it."""
    return (datetime.now(UTC) + (timedelta(**by) if by else FAR_AWAY)).isoformat().replace("+00:00", "Z")


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """The SQL statements that are run meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
