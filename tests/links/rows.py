"""Texts that have been sent, as rows; and what became of them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from app.core.settings import settings
from app.core.uow import across_shops, unit_of_work
from app.messaging.link_tokens import make_token
from app.messaging.models import Message, Run
from app.shops.models import Shop
from tests import build

PHONE = "+306912345678"
MASKED = "+3069•••678"
sources = itertools.count(1)


@dataclass(frozen=True)
class SentText:
    """One message and its run. Plain values: they outlive every session."""

    shop_id: int
    run_id: int
    message_id: int

    def token(self, link_no: int = 0) -> str:
        return make_token(self.message_id, link_no, settings().unsubscribe_secret)


def a_shop_id(**kwargs: Any) -> int:
    shop: Shop = build.a_shop(**kwargs)
    return shop.id


def a_text(
    shop_id: int,
    *,
    phone: str = PHONE,
    links: tuple[str, ...] = (),
    sender: str = "Astronote",
    **columns: Any,
) -> SentText:
    """A message that was sent to `phone` in a run of its own."""
    columns = {"state": "sent", "parts": 1, **columns}
    with unit_of_work(shop_id) as session:
        run = Run(
            shop_id=shop_id,
            source="campaign",
            source_id=next(sources),
            text="Hello",
            links=list(links),
            sender=sender,
            **{columns["state"]: 1},
        )
        session.add(run)
        session.flush()
        message = Message(shop_id=shop_id, run_id=run.id, phone=phone, **columns)
        session.add(message)
        session.flush()
        return SentText(shop_id, run.id, message.id)


def a_contact(shop_id: int, phone: str = PHONE, **columns: Any) -> int:
    """An opted-in contact; its id."""
    columns = {
        "phone": phone,
        "consent": "opted_in",
        "first_name": "Maria",
        "last_name": "Nikolaou",
        **columns,
    }
    names = ", ".join(columns)
    marks = ", ".join(f":{name}" for name in columns)
    with unit_of_work(shop_id) as session:
        contact_id: int = session.execute(
            text(f"INSERT INTO contacts (shop_id, {names}) VALUES (:shop_id, {marks}) RETURNING id"),
            {"shop_id": shop_id, **columns},
        ).scalar_one()
        return contact_id


def rows(sql: str, **values: Any) -> list[dict[str, Any]]:
    """What the database holds, whichever shop's."""
    with across_shops("a test looks") as session:
        return [dict(row) for row in session.execute(text(sql), values).mappings()]


def value(sql: str, **values: Any) -> Any:
    """The one value that the database holds."""
    (row,) = rows(sql, **values)
    (only,) = row.values()
    return only


def everything() -> dict[str, Any]:
    """A picture of all rows that an opened link could change."""
    tables = ("message_runs", "messages", "contacts", "suppressions", "consent_events", "click_events")
    return {table: rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}
