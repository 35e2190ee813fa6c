"""What a merchant's browser does, and what a test may look up afterwards."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.connections.models import Connection
from app.core.uow import across_shops, unit_of_work
from app.shops.models import Shop, ShopStatus
from tests.sandbox.shopify.world import ShopWorld


def begin(client: FlaskClient, shop: str, **kwargs: Any) -> TestResponse:
    return client.get("/auth/shopify", query_string={"shop": shop}, **kwargs)


def agree(departure: TestResponse, *, deny: bool = False) -> str:
    """Follow to Shopify and say yes; the query that it sends the browser back with."""
    url = departure.headers["Location"] + ("&deny=1" if deny else "")
    answer = requests.get(url, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    return urlsplit(answer.headers["Location"]).query


def come_back(client: FlaskClient, query: str, **kwargs: Any) -> TestResponse:
    return client.get(f"/auth/callback?{query}", **kwargs)


def install(client: FlaskClient, demo: ShopWorld) -> Shop:
    """The whole way of a new shop."""
    answer = come_back(client, agree(begin(client, demo.domain)))
    assert "token" in landed(answer), answer.headers.get("Location")
    return shop_of(demo.domain)


def landed(answer: TestResponse) -> dict[str, str]:
    """The query of the page of the web client that the browser ends on."""
    assert answer.status_code == 302, answer.text
    parts = urlsplit(answer.headers["Location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://app.example.com/shopify/auth/callback"
    return {name: values[0] for name, values in parse_qs(parts.query).items()}


def shop_of(domain: str) -> Shop:
    with across_shops("a test looks") as session:
        return session.scalars(sa.select(Shop).where(Shop.domain == domain)).one()


def connection_of(shop: Shop) -> Connection:
    with unit_of_work(shop.id) as session:
        return session.get_one(Connection, shop.id)


def count(table: str) -> int:
    with across_shops("a test counts") as session:
        return int(session.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0)


def set_connection(shop: Shop, **values: Any) -> None:
    with unit_of_work(shop.id) as session:
        session.execute(sa.update(Connection).values(values))


def set_status(shop: Shop, status: ShopStatus) -> None:
    with unit_of_work(shop.id) as session:
        session.execute(sa.update(Shop).where(Shop.id == shop.id).values(status=status))
