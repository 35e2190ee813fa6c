"""Whose purchase an object of Stripe is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select

from app.core.uow import across_shops, unit_of_work
from app.purchases.models import TYPES, Purchase

NOT_A_PURCHASE = "not_a_purchase"
UNMATCHED = "unmatched"


@dataclass(frozen=True)
class Found:
    """A purchase and its shop."""

    shop_id: int
    id: int


def is_of_a_purchase(thing: Mapping[str, Any]) -> bool:
    """Whether a session or payment says that it is for credits."""
    return (thing.get("metadata") or {}).get("type") in TYPES.values()


def purchase_of_metadata(thing: Mapping[str, Any]) -> Found | None:
    """The purchase that a session or payment names, if the shop that it names has it."""
    named = thing.get("metadata") or {}
    shop_id, purchase_id = _number(named.get("shopId")), _number(named.get("purchaseId"))
    if shop_id is None or purchase_id is None:
        return None
    with unit_of_work(shop_id) as session:
        known = session.scalar(
            select(Purchase.id).where(Purchase.shop_id == shop_id, Purchase.id == purchase_id)
        )
    return Found(shop_id, purchase_id) if known else None


def purchase_of_payment(payment_intent: str) -> Found | None:
    """The purchase that was paid by it."""
    return _across(Purchase.stripe_payment_intent_id == payment_intent)


def _across(condition: ColumnElement[bool]) -> Found | None:
    with across_shops("Stripe names its own object, not the shop") as session:
        row = session.execute(select(Purchase.shop_id, Purchase.id).where(condition)).one_or_none()
    return Found(row.shop_id, row.id) if row else None


def _number(raw: object) -> int | None:
    text = str(raw or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
