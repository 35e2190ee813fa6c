"""Units of work: the only place that begins, commits or rolls back.

A use case opens one with `unit_of_work(shop_id)`; what it calls demands one with `require_unit_of_work()`.
Row-level security reads `app.shop_id`, which is set for the transaction only, so a connection that returns to
the pool carries no shop with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.database import db
from app.core.metrics import count

SET_SHOP = text("SELECT set_config('app.shop_id', :shop_id, true), set_config('app.all_shops', 'off', true)")
SET_ALL_SHOPS = text("SELECT set_config('app.shop_id', '', true), set_config('app.all_shops', 'on', true)")
MARK = "unit_of_work"


class NoUnitOfWork(RuntimeError):
    """A step was called outside a unit of work: a bug in the caller."""


class NestedUnitOfWork(RuntimeError):
    """A use case was called inside another one: its commit would not be its own."""


@contextmanager
def unit_of_work(shop_id: int) -> Iterator[Session]:
    """One transaction that sees and writes this shop's rows only. Commits on leaving, rolls back on any
    exception.

    Callbacks given to `after_commit` run after the commit, in order.
    """
    with _transaction() as session:
        session.execute(SET_SHOP, {"shop_id": str(shop_id)})
        yield session


@contextmanager
def across_shops(why: str, *, snapshot: bool = False) -> Iterator[Session]:
    """One transaction that may see every shop: for the few named functions that must. `why` names the reason.

    With `snapshot` all its statements see the same moment.
    """
    if not why:
        raise ValueError("crossing shops needs a reason")
    with _transaction() as session:
        if snapshot:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        session.execute(SET_ALL_SHOPS)
        yield session


@contextmanager
def within_shop(shop_id: int) -> Iterator[None]:
    """Narrow an `across_shops` transaction to one shop for a while, so that writes are checked against it."""
    session = require_unit_of_work()
    session.execute(SET_SHOP, {"shop_id": str(shop_id)})
    yield
    session.execute(SET_ALL_SHOPS)


def require_unit_of_work() -> Session:
    """The caller's session. Raises NoUnitOfWork when there is none."""
    session = cast(Session, db.session())
    if MARK not in session.info:
        raise NoUnitOfWork("this step needs the caller's unit of work")
    return session


@contextmanager
def savepoint() -> Iterator[Session]:
    """A part of the caller's unit of work that is undone by itself when it raises. A step."""
    with require_unit_of_work().begin_nested():
        yield cast(Session, db.session())


def after_commit(callback: Callable[[], object]) -> None:
    """Run `callback` once the current unit of work has committed. Never when it rolls back.

    A process can die in between, so whatever the callback does must also be repaired by a sweep.
    """
    require_unit_of_work().info[MARK].append(callback)


@contextmanager
def _transaction() -> Iterator[Session]:
    session = cast(Session, db.session())
    if MARK in session.info:
        raise NestedUnitOfWork("a unit of work is open already")
    session.rollback()  # a stray read outside a unit of work may have left a transaction open
    session.expunge_all()  # what an earlier unit read may have changed since; its objects stay readable
    callbacks: list[Callable[[], object]] = []
    session.info[MARK] = callbacks
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        count("db_transactions_total", "rolled_back")
        raise
    finally:
        del session.info[MARK]
    count("db_transactions_total", "committed")
    for callback in callbacks:
        callback()
