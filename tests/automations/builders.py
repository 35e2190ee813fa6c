"""Builders of automations, and of what happens in a shop."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.automations.models import Attempt, Entry
from app.automations.service import editing, events, working
from app.automations.service.editing import AutomationView
from app.core import clock
from app.core.uow import unit_of_work
from app.integrations.shopify.events import ShopifyEvent
from app.messaging.models import Message, Run
from app.messaging.service.freezing import body_of
from app.shops.models import Shop
from tests import build_messages

ids = itertools.count(820_982_911_946_154_508)


def an_automation(
    shop: Shop, trigger: str, message: str = "Hello {{firstName}}!", **given: Any
) -> AutomationView:
    """An active automation."""
    body = {"name": trigger, "trigger": trigger, "message": message, "status": "active", "conditions": {}}
    return editing.create_automation(shop.id, {**body, **given})


def an_order(phone: str, *, at: datetime | None = None, **given: Any) -> dict[str, Any]:
    """An order as Shopify posts it."""
    moment = (at or clock.now()).isoformat()
    order_id = next(ids)
    return {
        "id": order_id,
        "name": f"#{order_id % 10_000}",
        "created_at": moment,
        "updated_at": moment,
        "currency": "EUR",
        "total_price": "49.90",
        "phone": phone,
        "line_items": [{"title": "Linen shirt", "quantity": 1}],
        "customer": None,
        **given,
    }


def a_parcel(order: dict[str, Any], *, at: datetime | None = None, **given: Any) -> dict[str, Any]:
    moment = (at or clock.now()).isoformat()
    return {
        "id": next(ids),
        "order_id": order["id"],
        "status": "success",
        "created_at": moment,
        "updated_at": moment,
        "tracking_number": "RB1",
        "tracking_url": "https://carrier.example/follow/RB1",
        **given,
    }


def a_checkout(phone: str, *, at: datetime | None = None, items: int = 2, **given: Any) -> dict[str, Any]:
    moment = (at or clock.now()).isoformat()
    return {
        "token": f"token{next(ids)}",
        "created_at": moment,
        "updated_at": moment,
        "phone": phone,
        "abandoned_checkout_url": "https://shop.example/checkouts/" + "x" * 60,
        "line_items": [{"title": f"Thing {n}", "quantity": 1} for n in range(items)],
        "subtotal_price": "39.90",
        "currency": "EUR",
        "customer": None,
        **given,
    }


def tell(shop: Shop, what: str, payload: dict[str, Any]) -> str:
    """Let a handler of events have a payload, in a transaction of its own."""
    handler = getattr(events, what)
    event = ShopifyEvent(next(ids), shop.id, what, str(next(ids)), clock.now(), payload)
    with unit_of_work(shop.id):
        outcome: str = handler(event)
    return outcome


def work(shop: Shop) -> None:
    working.work(shop.id)


def entries(shop: Shop) -> Sequence[Entry]:
    with unit_of_work(shop.id) as session:
        return session.scalars(sa.select(Entry).order_by(Entry.id)).all()


def attempts(shop: Shop) -> list[tuple[int, str, str | None]]:
    """(step, outcome, reason) of everything that was tried, in order."""
    with unit_of_work(shop.id) as session:
        rows = session.scalars(sa.select(Attempt).order_by(Attempt.id))
        return [(row.step_no, row.outcome, row.reason) for row in rows]


def texts(shop: Shop) -> list[str]:
    """What the shop's automations have frozen, as it will be read, opt-out line cut off."""
    with unit_of_work(shop.id) as session:
        rows = session.execute(
            sa.select(Message, Run)
            .join(Run, (Run.shop_id == Message.shop_id) & (Run.id == Message.run_id))
            .order_by(Message.id)
        ).all()
        return [
            body_of(run, message.id, message.merge or {}).partition("\n\nUnsubscribe")[0]
            for message, run in rows
        ]


credit = build_messages.credit
