"""Rows that tests about audiences start from, and the calls they make."""

from __future__ import annotations

import itertools
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text

from app.contacts import service as contacts
from app.contacts.models import Contact
from app.core.uow import unit_of_work
from app.shops.models import Shop
from tests import build

numbers = itertools.count(6_900_000_000)


def a_contact(shop: Shop, **columns: Any) -> str:
    """An opted-in contact; its id as the API writes it."""
    columns = {"phone": f"+30{next(numbers)}", "consent": "opted_in", **columns}
    with unit_of_work(shop.id) as session:
        contact = Contact(shop_id=shop.id, **columns)
        session.add(contact)
        session.flush()
        return str(contact.id)


def suppress(shop: Shop, phone: str) -> None:
    contacts.suppress(shop.id, [phone])


def a_campaign(shop: Shop, *, audience: str, status: str) -> None:
    with unit_of_work(shop.id) as session:
        session.execute(
            text(
                "INSERT INTO campaigns (shop_id, name, message, audience, status, schedule_at)"
                " VALUES (:shop_id, 'Sale', 'Hello', :audience, :status, now() + interval '1 day')"
            ),
            {"shop_id": shop.id, "audience": audience, "status": status},
        )


class Caller:
    """A signed-in client. Each call returns the answer; `data` insists on success."""

    def __init__(self, client: FlaskClient, shop: Shop) -> None:
        self.client, self.shop, self.headers = client, shop, build.auth(shop)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.client.open(path, method=method, json=body, headers=self.headers)

    def data(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.call(method, path, body)
        assert answer.status_code in {200, 201}, answer.json
        return answer.json["data"]

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        answer = self.call(method, path, body)
        assert answer.json["success"] is False
        return answer.status_code, answer.json["code"]

    def a_segment(self, name: str = "Mine", **body: Any) -> dict[str, Any]:
        segment: dict[str, Any] = self.data("POST", "/audiences/segments", {"name": name, **body})
        return segment

    def reached(self, audience: str) -> list[str]:
        """The ids of the contacts that a text to `audience` would reach."""
        details = self.data("GET", f"/audiences/{audience}/details?limit=100")
        return sorted((contact["id"] for contact in details["contacts"]), key=int)
