"""Builders of runs, and what a test may ask about messages and money."""

from __future__ import annotations

import itertools
from typing import Any

import sqlalchemy as sa

from app.audit.service import audit
from app.contacts.queries import opted_in
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.credits.service import Balance
from app.messaging.models import Message, Run
from app.messaging.service import freezing
from app.messaging.service.freezing import Frozen
from app.messaging.states import Source
from app.messaging.wording import word
from app.shops.models import Shop

LINK_BASE = "https://sms.example.com"
sources = itertools.count(1)


def credit(shop: Shop, amount: int = 100_000) -> None:
    """Credits in the shop's wallet."""
    with unit_of_work(shop.id):
        credits.grant(shop.id, amount, key=f"test:{next(sources)}", reason="test")


def people(shop: Shop, count: int) -> None:
    """Consenting contacts; their numbers end in 5000 and up, as some low endings have their own fate."""
    block = next(sources)
    execute(
        shop,
        """INSERT INTO contacts (shop_id, phone, first_name, consent)
           SELECT :shop_id, '+3069' || lpad(CAST(:block * 10000 + 5000 + n AS text), 8, '0'),
             'Maria', 'opted_in'
           FROM generate_series(1, :count) AS n""",
        shop_id=shop.id,
        block=block,
        count=count,
    )


def a_run(shop: Shop, message: str = "Hello {{firstName}}!", *, source: Source = Source.TEST) -> Frozen:
    """The shop's consenting contacts frozen into a run."""
    wording = word(message, constants={"shopName": shop.display_name}, link_base=LINK_BASE)
    with unit_of_work(shop.id):
        run_id = freezing.open_run(shop.id, source, next(sources), wording, sender="Astronote")
        return freezing.freeze(shop.id, run_id, opted_in(shop.id))


def run_of(shop: Shop, run_id: int) -> Run:
    with unit_of_work(shop.id) as session:
        return session.get_one(Run, run_id)


def messages_of(shop: Shop, run_id: int) -> list[Message]:
    with unit_of_work(shop.id) as session:
        return list(session.scalars(sa.select(Message).where(Message.run_id == run_id).order_by(Message.id)))


def states_of(shop: Shop, run_id: int) -> dict[str, int]:
    """How many messages of the run are in each state."""
    with unit_of_work(shop.id) as session:
        rows = session.execute(
            sa.select(Message.state, sa.func.count()).where(Message.run_id == run_id).group_by(Message.state)
        )
        return dict(map(tuple, rows))


def balance_of(shop: Shop) -> Balance:
    with unit_of_work(shop.id):
        return credits.balance_of(shop.id)


def execute(shop: Shop, statement: str, **values: Any) -> Any:
    """SQL of the test's own, inside the shop."""
    with unit_of_work(shop.id) as session:
        result = session.execute(sa.text(statement), values)
        return result.all() if result.returns_rows else result.rowcount


def assert_books_balance() -> None:
    """Every invariant of the audit holds."""
    wrong = {finding.check.name: finding.examples for finding in audit() if finding.differences}
    assert wrong == {}
