"""Pools of codes, each for one person alone: made here, filled at Shopify, given when a text is frozen."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, literal

from app.core.activity import record
from app.core.errors import ValidationFailed
from app.core.queue import wake
from app.core.uow import after_commit, require_unit_of_work, unit_of_work
from app.discounts import queries
from app.discounts.errors import DiscountCodesMissing, PoolNotFound
from app.discounts.models import Pool

# Nothing that is read as something else; 28^8 codes cannot be guessed at a checkout.
LETTERS = "ABCDEFGHJKMNPQRTUVWXYZ346789"
RANDOM_LENGTH = 8
SLOT = "discount.code"
CODES_MAX = 200_000


def create_pool(
    shop_id: int,
    *,
    title: str,
    percent: Decimal,
    count: int,
    prefix: str = "",
    ends_at: datetime | None = None,
) -> Row[Any]:
    """Make a pool with `count` codes; a job makes them known to Shopify."""
    with unit_of_work(shop_id) as session:
        pool = Pool(shop_id=shop_id, title=title, prefix=prefix.upper(), percent=percent, ends_at=ends_at)
        session.add(pool)
        session.flush()  # its codes need its id
        _add_codes(shop_id, pool, count)
        record(shop_id, "discount_pool.created", "discount_pool", pool.id, codes=count)
        after_commit(lambda: wake("discounts.fill", shop_id))
        return find_pool(shop_id, pool.id)


def add_codes(shop_id: int, pool_id: int, count: int) -> Row[Any]:
    """More codes for a pool. Raises PoolNotFound, and ValidationFailed for more than CODES_MAX altogether."""
    with unit_of_work(shop_id) as session:
        if find_pool(shop_id, pool_id).codes + count > CODES_MAX:
            raise ValidationFailed("count", f"a pool holds at most {CODES_MAX} codes")
        _add_codes(shop_id, session.get_one(Pool, pool_id), count)
        after_commit(lambda: wake("discounts.fill", shop_id))
        return find_pool(shop_id, pool_id)


def list_pools(shop_id: int) -> Sequence[Row[Any]]:
    """The shop's pools with their counts of codes: all, live at Shopify, free. Newest first."""
    with unit_of_work(shop_id) as session:
        return session.execute(queries.POOLS, {"shop_id": shop_id, "pool_id": None}).all()


def find_pool(shop_id: int, pool_id: int) -> Row[Any]:
    """One pool with its counts. A step. Raises PoolNotFound."""
    values = {"shop_id": shop_id, "pool_id": pool_id}
    found = require_unit_of_work().execute(queries.POOLS, values).first()
    if found is None:
        raise PoolNotFound
    return found


def sample_code(pool: Row[Any]) -> str:
    """As long as every code of the pool, and none of them."""
    return str(pool.prefix) + "X" * RANDOM_LENGTH


def priced(pool: Row[Any], people: Select[Any]) -> Select[Any]:
    """`people` as they are priced: whichever code somebody gets, it is as long as the sample."""
    return people.add_columns(literal(sample_code(pool)).label(queries.CODE_COLUMN))


def require_codes(pool: Row[Any], needed: int) -> None:
    """Raises DiscountCodesMissing."""
    if pool.free < needed:
        raise DiscountCodesMissing(needed=needed, free=pool.free)


def give(shop_id: int, pool_id: int, run_id: int, *, needed: int) -> None:
    """Write down whose the codes are that a run has just been frozen with. A step.

    Raises DiscountCodesMissing when somebody has none, and then the caller's transaction undoes all.
    """
    values = {"shop_id": shop_id, "pool_id": pool_id, "run_id": run_id}
    given = require_unit_of_work().execute(queries.GIVE, values).rowcount  # type: ignore[attr-defined]
    if given != needed:
        raise DiscountCodesMissing(needed=needed, free=given)


def give_back(shop_id: int, run_id: int) -> None:
    """Free the codes of the run's messages that will not be sent. A step."""
    require_unit_of_work().execute(queries.GIVE_BACK, {"shop_id": shop_id, "run_id": run_id})


def give_anew(shop_id: int, run_id: int) -> None:
    """Codes for messages of the run that wait again after theirs were freed. A step.

    Does nothing for a run without codes. Raises DiscountCodesMissing.
    """
    session, values = require_unit_of_work(), {"shop_id": shop_id, "run_id": run_id}
    pool_id = session.scalar(queries.POOL_OF_RUN, values)
    if pool_id is not None:
        counted = session.execute(queries.GIVE_ANEW, {**values, "pool_id": pool_id}).one()
        if counted.given < counted.waiting:
            raise DiscountCodesMissing(needed=counted.waiting, free=counted.given)


def _add_codes(shop_id: int, pool: Pool, count: int) -> None:
    codes = [
        pool.prefix + "".join(secrets.choice(LETTERS) for _ in range(RANDOM_LENGTH)) for _ in range(count)
    ]
    values = {"shop_id": shop_id, "pool_id": pool.id, "codes": codes}
    require_unit_of_work().execute(queries.ADD, values)
