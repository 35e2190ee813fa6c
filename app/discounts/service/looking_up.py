"""The discounts of a shop, as Shopify has them. Use cases: they call Shopify, so never in a transaction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import structlog

from app.connections.errors import NotConnected, ShopifyAway
from app.connections.service import tokens
from app.core.clock import now
from app.core.uow import unit_of_work
from app.discounts import documents
from app.discounts.errors import DiscountNotFound
from app.discounts.service import keeping
from app.discounts.service.describing import CODE_MAX, Discount, discount_of
from app.integrations.shopify.errors import ShopifyError
from app.shops import service as shops

log = structlog.get_logger(__name__)

NOT_IN_SHOP = "There is no such discount in this shop."
PATIENCE_SECONDS = 4.0  # a merchant waits in front of a form
# Clients send the id as it is, a proxy may have merged its slashes, and some send the number alone.
GID = re.compile(r"(?:gid:/{1,2}shopify/(?:DiscountCodeNode|DiscountNode)/)?([0-9]{1,18})")


@dataclass(frozen=True)
class Validation:
    """Whether a code can stand in a text. `reason` says why not."""

    discount: Discount | None
    reason: str | None = None

    @property
    def is_valid(self) -> bool:
        return self.discount is not None and self.reason is None


def usable_discounts(shop_id: int) -> Sequence[Discount]:
    """The newest hundred of the shop's discounts that are active and not expired.

    None when there is no Shopify, or it does not answer: the forms that ask must go on working.
    """
    try:
        answer = _ask(shop_id, "list", documents.DISCOUNTS)
    except (NotConnected, ShopifyAway):
        return ()
    nodes = (answer.get("codeDiscountNodes") or {}).get("nodes") or []
    found = _described(shop_id, nodes)
    return [discount for discount in found if discount.is_usable]


def find_discount(shop_id: int, discount_id: str) -> Discount:
    """The discount with this Shopify id. Raises DiscountNotFound, ShopifyAway."""
    try:
        return _by_id(shop_id, discount_id)
    except NotConnected as reason:
        raise DiscountNotFound from reason


def code_of(shop_id: int, discount_id: str) -> str:
    """The code of a discount that can be used now. Raises DiscountNotFound, NotConnected, ShopifyAway."""
    discount = _by_id(shop_id, discount_id)
    if not discount.is_usable:
        raise DiscountNotFound
    return discount.code


def validate_discount(shop_id: int, discount_id: str) -> Validation:
    """Whether the discount with this Shopify id can be used now. An unknown one cannot."""
    try:
        return _validated(find_discount(shop_id, discount_id))
    except (DiscountNotFound, ShopifyAway) as refusal:
        return Validation(None, refusal.message)


def validate_code(shop_id: int, code: str) -> Validation:
    """Whether this code can be used now; Shopify compares codes without regard to case."""
    wanted = code.strip()
    if not wanted or len(wanted) > CODE_MAX or not wanted.isprintable():
        return Validation(None, NOT_IN_SHOP)
    question = "code:" + sha256(wanted.casefold().encode()).hexdigest()
    try:
        answer = _ask(shop_id, question, documents.DISCOUNT_BY_CODE, {"code": wanted})
    except NotConnected:
        return Validation(None, NOT_IN_SHOP)
    except ShopifyAway as refusal:
        return Validation(None, refusal.message)
    found = _described(shop_id, [answer.get("codeDiscountNodeByCode")])
    return _validated(found[0]) if found else Validation(None, NOT_IN_SHOP)


def _by_id(shop_id: int, discount_id: str) -> Discount:
    with unit_of_work(shop_id):
        if not tokens.is_connected(shop_id):
            raise NotConnected
    named = GID.fullmatch(discount_id)
    if named is None:
        raise DiscountNotFound
    gid = f"gid://shopify/DiscountCodeNode/{int(named[1])}"
    answer = _ask(shop_id, f"id:{named[1]}", documents.DISCOUNT, {"id": gid})
    found = _described(shop_id, [answer.get("codeDiscountNode")])
    if not found:
        raise DiscountNotFound
    return found[0]


def _ask(
    shop_id: int, question: str, document: str, variables: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Shopify's answer, at most a minute old. Raises NotConnected, ShopifyAway."""
    try:
        answer = keeping.kept(shop_id, question)
        if answer is None:
            client = tokens.admin(shop_id, patience_seconds=PATIENCE_SECONDS)
            answer = client.run(document, variables)
            keeping.keep(shop_id, question, answer)
    except keeping.ShopifyWasAway as away:
        raise ShopifyAway from away
    except ShopifyError as trouble:
        log.warning("discounts_not_read", shop_id=shop_id, error=type(trouble).__name__)
        keeping.keep_away(shop_id)
        raise ShopifyAway from trouble
    return dict(answer)


def _described(shop_id: int, nodes: Sequence[Any]) -> list[Discount]:
    with unit_of_work(shop_id):
        zone = shops.zone_of(shops.find_shop(shop_id))
    found = (discount_of(node, at=now(), zone=zone) for node in nodes)
    return [discount for discount in found if discount is not None]


def _validated(discount: Discount) -> Validation:
    if discount.is_expired:
        return Validation(discount, "This discount has expired.")
    if not discount.is_active:
        return Validation(discount, "This discount is not active.")
    return Validation(discount)
