"""Ledgers to seal, seals to look at, and hands that reach past every guard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app.core.uow import unit_of_work
from app.credits import service as credits
from app.credits.proof import sealing
from app.credits.service import SpentMessage
from app.shops.models import Shop
from tests import build

GUARDED = ("ledger_transfers", "ledger_seals")
# Ten years in which every transfer shows the balances that it leads to.
MANY = """
    INSERT INTO ledger_transfers (shop_id, from_account_id, to_account_id, amount, kind, key, reason,
      from_balance_after, to_balance_after, created_at, event_at)
    SELECT :shop_id, f.id, t.id, 1, 'grant', 'many:' || n, 'a gift', f.balance - n, t.balance + n,
      now() - interval '1 second' * (:count - n), now()
    FROM generate_series(1, :count) AS n,
      (SELECT id, balance FROM ledger_accounts WHERE shop_id = :shop_id AND kind = 'adjusted') f,
      (SELECT id, balance FROM ledger_accounts WHERE shop_id = :shop_id AND kind = 'wallet') t
    ORDER BY n"""
MOVE = """
    UPDATE ledger_accounts SET balance = balance + CASE kind WHEN 'wallet' THEN :count ELSE - :count END
    WHERE shop_id = :shop_id AND kind IN ('wallet', 'adjusted')"""


def a_lived_in_ledger(runs: int = 3) -> Shop:
    """A shop with transfers of every usual kind."""
    shop = build.a_shop()
    with unit_of_work(shop.id):
        credits.grant(shop.id, 500, key="gift", reason="a gift: καλώς ήρθες")
        credits.purchase(shop.id, 1_000, key="stripe:purchase:1", reason="1,000 credits")
    for run in range(1, runs + 1):
        with unit_of_work(shop.id):
            credits.hold(shop.id, run, 100, key=f"run:{run}:hold")
            credits.capture(shop.id, run, 60, key=f"attempt:{run}:capture")
            credits.release(shop.id, run, 30, key=f"attempt:{run}:release")
            credits.refund_messages(shop.id, run, [SpentMessage(1_000 + run, 2)])
    return shop


def give(shop: Shop, key: str, amount: int = 1) -> None:
    with unit_of_work(shop.id):
        credits.grant(shop.id, amount, key=key, reason="a gift")


def give_many(shop: Shop, count: int) -> None:
    """As many transfers as `count`, in one statement."""
    give(shop, "before many")
    given = {"shop_id": shop.id, "count": count}
    with unit_of_work(shop.id) as session:
        session.execute(sa.text(MANY), given)
        session.execute(sa.text(MOVE), given)


def seals_of(shop: Shop) -> Sequence[Any]:
    with unit_of_work(shop.id) as session:
        return session.execute(sa.text("SELECT * FROM ledger_seals ORDER BY number")).all()


def ids_of(shop: Shop) -> list[int]:
    with unit_of_work(shop.id) as session:
        return list(session.scalars(sa.text("SELECT id FROM ledger_transfers ORDER BY id")))


def in_several_seals(shop: Shop) -> None:
    """One seal now, one after another gift, one after one more."""
    sealing.seal(shop.id)
    for number in (1, 2):
        give(shop, f"gift after seal {number}")
        give(shop, f"second gift after seal {number}")
        sealing.seal(shop.id)


def tamper(owner: sa.Engine, statement: str, **values: Any) -> int:
    """As the tables' owner, past row-level security, triggers and references; the rows that were changed."""
    with owner.connect() as connection:
        connection.exec_driver_sql("SELECT set_config('app.all_shops', 'on', false)")
        for table in GUARDED:
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            changed: int = connection.execute(sa.text(statement), values).rowcount
        finally:
            for table in GUARDED:
                connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    return changed
