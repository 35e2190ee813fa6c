"""Making a pool's codes known to Shopify. Idempotent: codes that Shopify has already are as good as new ones.

No transaction is open while Shopify is called. Whatever fails is tried again later; a sweep rings.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Row, update

from app.connections.errors import NotConnected
from app.connections.service import tokens
from app.core.clock import now
from app.core.uow import across_shops, unit_of_work
from app.discounts import documents, queries
from app.discounts.models import Pool
from app.integrations.shopify.client import ShopifyClient
from app.integrations.shopify.errors import ShopifyError, ShopifyRefused

log = structlog.get_logger(__name__)

CODES_A_CALL = 250
SECONDS_A_JOB = 40.0
LOOKS, PAUSE_SECONDS = 20, 0.25
LATER = timedelta(minutes=10)
TAKEN = "TAKEN"


class NotDoneYet(Exception):
    """Shopify is still adding codes: they are asked about again."""


def shops_with_unfinished_pools() -> Sequence[int]:
    """The shops in which a pool has codes that Shopify does not know."""
    with across_shops("unfinished pools of all shops are rung for") as session:
        return session.scalars(queries.DUE_SHOPS, {"now": now()}).all()


def fill(shop_id: int) -> bool:
    """Tell Shopify of the shop's new codes for a while. True when there is more to tell."""
    deadline = time.monotonic() + SECONDS_A_JOB
    with unit_of_work(shop_id) as session:
        due = session.execute(queries.DUE_POOLS, {"shop_id": shop_id, "now": now()}).all()
    for pool in due:
        try:
            if not _fill(shop_id, pool, deadline):
                return True
        except (NotConnected, ShopifyError, NotDoneYet) as trouble:
            _put_off(shop_id, pool.id, trouble)
    return False


def _fill(shop_id: int, pool: Row[Any], deadline: float) -> bool:
    """Whether all of the pool's codes are live now. Raises NotConnected, ShopifyError, NotDoneYet."""
    client = tokens.admin(shop_id)
    discount_id = pool.discount_id or _create(shop_id, pool, client)
    before: Sequence[str] = ()
    while codes := _not_live(shop_id, pool.id):
        if codes == before:
            raise NotDoneYet
        before = codes
        if time.monotonic() > deadline:
            return False
        listed = [{"code": code} for code in codes]
        answer = client.run(documents.ADD_CODES, {"id": discount_id, "codes": listed})
        creation = answer["discountRedeemCodeBulkAdd"]["bulkCreation"]
        _set_live(shop_id, pool.id, _added(client, creation["id"]))
    return True


def _create(shop_id: int, pool: Row[Any], client: ShopifyClient) -> str:
    """The pool's discount at Shopify, made with its first code: that one finds it again after a crash."""
    (first, *_) = _not_live(shop_id, pool.id, most=1)
    wish = {
        "title": pool.title,
        "code": first,
        "startsAt": pool.created_at.isoformat(),
        "endsAt": pool.ends_at.isoformat() if pool.ends_at else None,
        "context": {"all": "ALL"},
        "customerGets": {"value": {"percentage": float(pool.percent) / 100}, "items": {"all": True}},
        "appliesOncePerCustomer": True,
        "usageLimit": 1,
    }
    try:
        made = client.run(documents.CREATE_DISCOUNT, {"discount": wish})
        discount_id = str(made["discountCodeBasicCreate"]["codeDiscountNode"]["id"])
    except ShopifyRefused as refusal:
        if refusal.code != TAKEN:
            raise
        found = client.run(documents.DISCOUNT_BY_CODE, {"code": first})["codeDiscountNodeByCode"]
        if not found:
            raise
        discount_id = str(found["id"])
    with unit_of_work(shop_id) as session:
        mine = update(Pool).where(Pool.shop_id == shop_id, Pool.id == pool.id)
        session.execute(mine.values(discount_id=discount_id, last_error=None))
    _set_live(shop_id, pool.id, [first])
    return discount_id


def _added(client: ShopifyClient, creation_id: str) -> list[str]:
    """The codes that Shopify has after an addition is done: new ones, and those it had before."""
    for _ in range(LOOKS):
        found = client.run(documents.ADDED_CODES, {"id": creation_id})["discountRedeemCodeBulkCreation"]
        if found and found["done"]:
            nodes = found["codes"]["nodes"]
            return [one["code"] for one in nodes if all(error["code"] == TAKEN for error in one["errors"])]
        time.sleep(PAUSE_SECONDS)
    raise NotDoneYet


def _not_live(shop_id: int, pool_id: int, most: int = CODES_A_CALL) -> Sequence[str]:
    values = {"shop_id": shop_id, "pool_id": pool_id, "most": most}
    with unit_of_work(shop_id) as session:
        return session.scalars(queries.NOT_LIVE, values).all()


def _set_live(shop_id: int, pool_id: int, codes: Sequence[str]) -> None:
    values = {"shop_id": shop_id, "pool_id": pool_id, "codes": list(codes), "now": now()}
    with unit_of_work(shop_id) as session:
        session.execute(queries.SET_LIVE, values)


def _put_off(shop_id: int, pool_id: int, trouble: Exception) -> None:
    reason = trouble.code if isinstance(trouble, ShopifyRefused) else type(trouble).__name__
    with unit_of_work(shop_id) as session:
        mine = update(Pool).where(Pool.shop_id == shop_id, Pool.id == pool_id)
        session.execute(mine.values(last_error=reason[:100], try_at=now() + LATER))
    log.warning("discount_pool_put_off", shop_id=shop_id, pool_id=pool_id, reason=reason[:40])
