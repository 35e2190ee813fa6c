"""The money of the past: what was bought and included, and what each sending held, spent and gave back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.core.uow import require_unit_of_work
from app.demo.errors import DemoStopped
from app.demo.history import ledger_sql
from app.subscriptions.plans import INCLUDED_SMS

INCLUDED = INCLUDED_SMS["starter"]
PERIOD = timedelta(days=30)
# (days ago, credits): packages that are for sale.
PURCHASES = ((33, 25_000), (21, 10_000), (14, 25_000), (5, 10_000))


@dataclass
class Books:
    """Gathers the shop's movements. `periods` are the beginnings of its plan's months, the oldest first."""

    shop_id: int
    periods: Sequence[datetime]
    allowance: int = 0
    _begun: list[datetime] = field(default_factory=list)

    def open(self) -> None:
        """A step, as all of these."""
        session = require_unit_of_work()
        session.execute(ledger_sql.STAGE_TABLE)
        session.execute(ledger_sql.ENSURE_ACCOUNTS, {"shop_id": self.shop_id})
        plan = {"included": INCLUDED, "starts_at": self.periods[-1], "opened_at": self.periods[0]}
        session.execute(ledger_sql.START_PLAN, {"shop_id": self.shop_id, **plan})

    def buy(self, at: datetime, credits: int, number: int) -> None:
        """A package, paid on that day."""
        self._move(at, "purchase", f"stripe:demo:{number}", "purchased", "wallet", credits, "credit package")

    def charge(self, run_id: int, at: datetime, sums: Any) -> None:
        """What the staged sending held, allowance first, and everything that became of it."""
        self._begin_periods(at)
        allowance = min(self.allowance, sums.needed)
        self.allowance -= allowance
        if allowance > sums.spent:
            raise DemoStopped("A sending that spends less than the allowance may not begin a period.")
        key = f"run:{run_id}:hold"
        self._move(at, "hold", f"{key}:allowance", "allowance", "held", allowance, run_id=run_id)
        self._move(at, "hold", f"{key}:wallet", "wallet", "held", sums.needed - allowance, run_id=run_id)
        session = require_unit_of_work()
        held = {"open": sums.open, "allowance": allowance, "spent": sums.spent, "at": at}
        session.execute(ledger_sql.ADD_HOLD, {"shop_id": self.shop_id, "run_id": run_id, **held})
        for moved in (
            ledger_sql.MOVE_BY_ATTEMPT, ledger_sql.MOVE_BY_MESSAGE, ledger_sql.MOVE_BY_CANCELLING,
        ):  # fmt: skip
            session.execute(moved, {"run_id": run_id})

    def close(self) -> None:
        """Write the movements in their order. Raises DemoStopped when credits were spent that nobody had."""
        session = require_unit_of_work()
        for statement in (ledger_sql.WRITE, ledger_sql.SETTLE):
            session.execute(statement, {"shop_id": self.shop_id})
        if session.scalar(ledger_sql.LOWEST, {"shop_id": self.shop_id}) < 0:
            raise DemoStopped("The history spends credits that the shop did not have.")

    def _begin_periods(self, at: datetime) -> None:
        for begins_at in self.periods:
            if begins_at <= at and begins_at not in self._begun:
                self._begun.append(begins_at)
                self.allowance = INCLUDED
                key = f"allowance:{begins_at.isoformat()}"
                self._move(begins_at, "allowance", key, "included", "allowance", INCLUDED)

    def _move(
        self,
        at: datetime,
        kind: str,
        key: str,
        source: str,
        target: str,
        amount: int,
        reason: str | None = None,
        run_id: int | None = None,
    ) -> None:
        given = {"at": at, "kind": kind, "key": key, "from_kind": source, "to_kind": target}
        more = {"amount": amount, "reason": reason, "run_id": run_id}
        require_unit_of_work().execute(ledger_sql.MOVE, given | more)
