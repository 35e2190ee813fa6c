"""Credits: the only door to the ledger. Everything here but `wallet_of` is a step inside the caller's unit
of work.

One credit is one SMS part to one recipient. A hold reserves, a capture spends what the provider accepted,
a release
gives back what was not sent, a refund gives back what was spent in vain. Each posting is keyed once per shop:
repeating it moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from app.core.cache import changed
from app.core.uow import require_unit_of_work, unit_of_work
from app.credits import queries
from app.credits.errors import InsufficientCredits, TransferKeyReused
from app.credits.models import AccountKind as Kind
from app.credits.models import TransferKind

# Locked together by all that is bought or taken back, so that none of it waits in a circle.
BOUGHT = (Kind.PURCHASED, Kind.WALLET, Kind.DEBT)


@dataclass(frozen=True)
class Balance:
    """A shop's credits. `wallet` and `allowance` are free to use, `held` is reserved for runs under way.

    `purchased` is without what was paid back; `debt` is what was paid back after it had been spent.
    """

    wallet: int = 0
    allowance: int = 0
    held: int = 0
    held_of_wallet: int = 0
    spent: int = 0
    purchased: int = 0
    debt: int = 0

    @property
    def available(self) -> int:
        return self.wallet + self.allowance


@dataclass(frozen=True)
class Movement:
    """One transfer to post."""

    key: str
    source: Kind
    target: Kind
    amount: int
    message_id: int | None = None


@dataclass(frozen=True)
class SpentMessage:
    """A message whose parts were charged: what a capture by report, or a refund, is about."""

    message_id: int
    parts: int


def balance_of(shop_id: int) -> Balance:
    """The shop's balances now."""
    rows = require_unit_of_work().execute(queries.BALANCES, {"shop_id": shop_id})
    of = {row.kind: row.balance for row in rows}
    return Balance(
        wallet=of.get(Kind.WALLET, 0),
        allowance=of.get(Kind.ALLOWANCE, 0),
        held=of.get(Kind.HELD, 0),
        held_of_wallet=of.get("held_of_wallet", 0),
        spent=of.get(Kind.SPENT, 0),
        purchased=-of.get(Kind.PURCHASED, 0),
        debt=-of.get(Kind.DEBT, 0),
    )


def wallet_of(shop_id: int) -> int:
    """The shop's wallet. A use case of its own, for sign-in."""
    with unit_of_work(shop_id):
        return balance_of(shop_id).wallet


def grant(shop_id: int, amount: int, *, key: str, reason: str) -> bool:
    """Add `amount` credits to the wallet, once per `key`. True when this call did it."""
    return (
        _post(shop_id, TransferKind.GRANT, [Movement(key, Kind.ADJUSTED, Kind.WALLET, amount)], reason=reason)
        > 0
    )


def purchase(shop_id: int, amount: int, *, key: str, reason: str) -> bool:
    """Add bought credits to the wallet, once per `key` (`stripe:purchase:{id}`), and pay a debt with them.

    True when this call did it.
    """
    return _buy(shop_id, TransferKind.PURCHASE, amount, key, reason)


def reverse(shop_id: int, amount: int, *, key: str, reason: str) -> bool:
    """Take bought credits back, once per `key`: their money went back. True when this call did it.

    What the wallet does not have any more becomes a debt, which the next purchase pays. Raises
    TransferKeyReused.
    """
    wallet = _lock(shop_id, BOUGHT)[Kind.WALLET]
    keys = (f"{key}:wallet", f"{key}:debt")
    if _posted_before(shop_id, keys, amount):
        return False
    taken = min(wallet, amount)
    movements = [
        Movement(keys[0], Kind.WALLET, Kind.PURCHASED, taken),
        Movement(keys[1], Kind.DEBT, Kind.PURCHASED, amount - taken),
    ]
    return _post(shop_id, TransferKind.REVERSAL, movements, reason=reason, must_be_new=True) > 0


def reinstate(shop_id: int, amount: int, *, key: str, reason: str) -> bool:
    """Give credits that were taken back again, once per `key`, and pay a debt with them.

    True when this call did it: the dispute was won, or the refund did not come through.
    """
    return _buy(shop_id, TransferKind.REINSTATEMENT, amount, key, reason)


def _buy(shop_id: int, kind: TransferKind, amount: int, key: str, reason: str) -> bool:
    debt = _lock(shop_id, BOUGHT)[Kind.DEBT]
    movement = Movement(key, Kind.PURCHASED, Kind.WALLET, amount)
    is_new = _post(shop_id, kind, [movement], reason=reason) > 0
    if is_new and debt:
        settlement = Movement(f"{key}:settlement", Kind.WALLET, Kind.DEBT, min(-debt, amount))
        _post(shop_id, TransferKind.SETTLEMENT, [settlement], reason=reason, must_be_new=True)
    return is_new


def start_allowance_period(shop_id: int, included: int, *, period: str) -> None:
    """Let the old allowance lapse and include `included` SMS for `period`, once per period."""
    left = _lock(shop_id, [Kind.ALLOWANCE, Kind.INCLUDED, Kind.LAPSED])[Kind.ALLOWANCE]
    fresh = _post(
        shop_id,
        TransferKind.ALLOWANCE,
        [Movement(f"allowance:{period}", Kind.INCLUDED, Kind.ALLOWANCE, included)],
    )
    if left and (fresh or not included):
        _post(shop_id, TransferKind.LAPSE, [Movement(f"lapse:{period}", Kind.ALLOWANCE, Kind.LAPSED, left)])


def hold(shop_id: int, run_id: int, amount: int, *, key: str) -> None:
    """Reserve `amount` credits for a run, allowance first, once per `key`.

    Raises InsufficientCredits; the accounts are locked from the check to the caller's commit.
    """
    if amount == 0:
        return
    session = require_unit_of_work()
    session.execute(queries.LOCK_HOLD, {"shop_id": shop_id, "run_id": run_id})
    free = _lock(shop_id, [Kind.WALLET, Kind.ALLOWANCE, Kind.HELD])
    if _posted_before(shop_id, (f"{key}:allowance", f"{key}:wallet"), amount):
        return
    allowance = min(free[Kind.ALLOWANCE], amount)
    wallet = amount - allowance
    if wallet > free[Kind.WALLET]:
        raise InsufficientCredits(required=amount, allowance=free[Kind.ALLOWANCE], wallet=free[Kind.WALLET])
    _post(
        shop_id,
        TransferKind.HOLD,
        [
            Movement(f"{key}:allowance", Kind.ALLOWANCE, Kind.HELD, allowance),
            Movement(f"{key}:wallet", Kind.WALLET, Kind.HELD, wallet),
        ],
        run_id=run_id,
        must_be_new=True,
    )
    session.execute(
        queries.GROW_HOLD, {"shop_id": shop_id, "run_id": run_id, "allowance": allowance, "wallet": wallet}
    )


def _posted_before(shop_id: int, keys: Sequence[str], amount: int) -> bool:
    """Whether the keys have moved this amount already, however it was split. Raises TransferKeyReused."""
    known = (
        require_unit_of_work().execute(queries.KNOWN_AMOUNTS, {"shop_id": shop_id, "keys": list(keys)}).all()
    )
    if known and sum(row.amount for row in known) != amount:
        raise TransferKeyReused
    return bool(known)


def capture(shop_id: int, run_id: int, amount: int, *, key: str, message_id: int | None = None) -> None:
    """Spend `amount` held credits of a run, once per `key`: the provider has accepted that many parts."""
    if amount == 0:
        return
    _change_hold(queries.TAKE_FROM_HOLD, shop_id, run_id, amount, spend=True)
    _post(
        shop_id,
        TransferKind.CAPTURE,
        [Movement(key, Kind.HELD, Kind.SPENT, amount, message_id)],
        run_id=run_id,
        reason=f"sms:send:run:{run_id}",
        must_be_new=True,
    )


def release(shop_id: int, run_id: int, amount: int, *, key: str) -> None:
    """Give back `amount` held credits of a run, once per `key`: those parts will not be sent."""
    if amount == 0:
        return
    back = _change_hold(queries.GIVE_BACK_TO_HOLD_OWNER, shop_id, run_id, amount)
    _post(
        shop_id,
        TransferKind.RELEASE,
        [
            Movement(f"{key}:allowance", Kind.HELD, Kind.ALLOWANCE, back.allowance),
            Movement(f"{key}:wallet", Kind.HELD, Kind.WALLET, back.wallet),
        ],
        run_id=run_id,
        must_be_new=True,
    )


def capture_messages(shop_id: int, run_id: int, messages: Sequence[SpentMessage]) -> None:
    """Spend held credits for single messages that a report proved accepted, once per message."""
    if not messages:
        return
    _change_hold(
        queries.TAKE_FROM_HOLD, shop_id, run_id, sum(message.parts for message in messages), spend=True
    )
    _post(
        shop_id,
        TransferKind.CAPTURE,
        [
            Movement(f"message:{m.message_id}:capture", Kind.HELD, Kind.SPENT, m.parts, m.message_id)
            for m in messages
        ],
        run_id=run_id,
        must_be_new=True,
    )


def refund_messages(shop_id: int, run_id: int, messages: Sequence[SpentMessage]) -> None:
    """Return the credits of messages that finally failed to where they came from, once per message."""
    if not messages:
        return
    back = _change_hold(
        queries.REFUND_FROM_SPENT, shop_id, run_id, sum(message.parts for message in messages)
    )
    _post(
        shop_id,
        TransferKind.REFUND,
        list(_split_refunds(messages, back.allowance)),
        run_id=run_id,
        must_be_new=True,
    )


def _split_refunds(messages: Sequence[SpentMessage], allowance: int) -> list[Movement]:
    """Movements that give `allowance` credits back to the allowance and the rest to the wallet."""
    movements = []
    for message in messages:
        to_allowance = min(allowance, message.parts)
        allowance -= to_allowance
        key = f"message:{message.message_id}:refund"
        movements += [
            Movement(key, Kind.SPENT, Kind.WALLET, message.parts - to_allowance, message.message_id),
            Movement(f"{key}:allowance", Kind.SPENT, Kind.ALLOWANCE, to_allowance, message.message_id),
        ]
    return movements


@dataclass(frozen=True)
class StaleHold:
    """A hold past its expiry that still reserves credits."""

    shop_id: int
    run_id: int
    left_credits: int


def stale_holds(limit: int = 100) -> list[StaleHold]:
    """Holds past their expiry with something left. Across shops."""
    rows = require_unit_of_work().execute(queries.STALE_HOLDS, {"limit": limit})
    return [StaleHold(row.shop_id, row.run_id, row.left_credits) for row in rows]


def extend_hold(shop_id: int, run_id: int) -> None:
    """Keep a hold for another day: its run still has messages that may be sent."""
    require_unit_of_work().execute(queries.EXTEND_HOLD, {"shop_id": shop_id, "run_id": run_id})


def _lock(shop_id: int, kinds: Sequence[Kind]) -> dict[str, int]:
    """Make sure the accounts exist, lock them in id order and return their balances."""
    session = require_unit_of_work()
    values = {"shop_id": shop_id, "kinds": [str(kind) for kind in kinds]}
    rows = session.execute(queries.LOCK_ACCOUNTS, values).all()
    if len(rows) < len(set(kinds)):
        session.execute(queries.ENSURE_ACCOUNTS, values)
        rows = session.execute(queries.LOCK_ACCOUNTS, values).all()
    return {row.kind: row.balance for row in rows}


def _change_hold(
    statement: object, shop_id: int, run_id: int, amount: int, **values: object
) -> Row[tuple[int, int]]:
    changed = require_unit_of_work().execute(
        statement,  # type: ignore[call-overload]
        {"shop_id": shop_id, "run_id": run_id, "amount": amount, **values},
    )
    return changed.one()  # type: ignore[no-any-return]  # a run without a hold has nothing to change: a bug


def _post(
    shop_id: int,
    kind: TransferKind,
    movements: Sequence[Movement],
    *,
    run_id: int | None = None,
    reason: str | None = None,
    must_be_new: bool = False,
) -> int:
    """Post the movements whose keys are new; the amount moved.

    Raises TransferKeyReused when a known key comes with another amount, or (`must_be_new`) comes again at
    all: then
    the rows that were moved before this call do not match the ledger, and the caller's transaction must
    not commit.
    """
    movements = [movement for movement in movements if movement.amount]
    if not movements:
        return 0
    _lock(shop_id, sorted({m.source for m in movements} | {m.target for m in movements}))
    values = {"shop_id": shop_id, "kind": kind, "run_id": run_id, "reason": reason, **_as_arrays(movements)}
    try:
        posted = require_unit_of_work().scalars(queries.POST_TRANSFERS, values).all()
    except IntegrityError as refused:  # an account would go below zero: the caller moved what it did not have
        needed = sum(movement.amount for movement in movements)
        raise InsufficientCredits(required=needed, allowance=0, wallet=0) from refused
    if len(posted) < len(movements):
        _check_repeat(shop_id, movements, must_be_new)
    changed(shop_id, "figures")
    return sum(posted)


def _as_arrays(movements: Sequence[Movement]) -> dict[str, list[object]]:
    return {
        "keys": [movement.key for movement in movements],
        "from_kinds": [str(movement.source) for movement in movements],
        "to_kinds": [str(movement.target) for movement in movements],
        "amounts": [movement.amount for movement in movements],
        "message_ids": [movement.message_id for movement in movements],
    }


def _check_repeat(shop_id: int, movements: Sequence[Movement], must_be_new: bool) -> None:
    known = require_unit_of_work().execute(
        queries.KNOWN_AMOUNTS, {"shop_id": shop_id, "keys": [movement.key for movement in movements]}
    )
    amounts = {row.key: row.amount for row in known}
    if must_be_new or any(amounts.get(m.key, m.amount) != m.amount for m in movements):
        raise TransferKeyReused
