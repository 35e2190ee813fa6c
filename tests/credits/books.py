"""Reading and proving the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app.audit.service import audit
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.credits.service import Balance
from app.shops.models import Shop
from tests import build

# The checks that need no messages: these tests hold credits for runs that have none.
OF_THE_LEDGER = {
    "credits_add_up",
    "balances_are_their_transfers",
    "last_transfer_shows_the_balance",
    "held_account_is_the_holds",
    "spent_account_is_the_runs",
}


def a_wallet(amount: int, *, allowance: int = 0) -> Shop:
    """A shop with credits and what is left of an allowance."""
    shop = build.a_shop(plan=None)
    with unit_of_work(shop.id):
        credits.grant(shop.id, amount, key="opening", reason="opening")
        if allowance:
            credits.start_allowance_period(shop.id, allowance, period="first")
    return shop


def balance(shop: Shop) -> Balance:
    with unit_of_work(shop.id):
        return credits.balance_of(shop.id)


def free(shop: Shop) -> tuple[int, int, int, int]:
    """Wallet, allowance, held and spent."""
    now = balance(shop)
    return now.wallet, now.allowance, now.held, now.spent


def transfers(shop: Shop) -> Sequence[Any]:
    """The shop's transfers, oldest first, with the kinds of their accounts."""
    with unit_of_work(shop.id) as session:
        return session.execute(
            sa.text("""
                SELECT t.*, f.kind AS source, g.kind AS target FROM ledger_transfers t
                JOIN ledger_accounts f ON f.id = t.from_account_id
                JOIN ledger_accounts g ON g.id = t.to_account_id ORDER BY t.id""")
        ).all()


def assert_books_balance() -> None:
    wrong = {
        finding.check.name: finding.examples
        for finding in audit()
        if finding.differences and finding.check.name in OF_THE_LEDGER
    }
    assert wrong == {}
