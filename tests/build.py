"""Builders: valid rows with defaults. A test names only what it is about."""

from __future__ import annotations

import itertools
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import flask_migrate
import sqlalchemy as sa
from flask import Flask

from app.auth import tokens
from app.billing import service as billing
from app.shops.models import Shop

counter = itertools.count(1)
APPEND_ONLY = ("activity", "consent_events", "ledger_seals", "ledger_transfers", "tax_evidence")


def redis_database(url: str, number: int) -> str:
    """`url` pointing at Redis database `number` + 1 (0 is for people)."""
    if url.startswith("unix://"):
        return f"{url.partition('?')[0]}?db={number + 1}"
    return urlunsplit(urlsplit(url)._replace(path=f"/{number + 1}"))


def migrate(app: Flask) -> None:
    flask_migrate.upgrade(directory="migrations")


def empty_tables(owner: sa.Engine) -> None:
    """Empty every table. Append-only triggers are stood down for it: only the owner can do that."""
    with owner.connect() as connection:
        tables = connection.exec_driver_sql(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
            " WHERE schemaname = 'public'"
            " AND tablename NOT IN ('alembic_version', 'calling_areas', 'sending_windows')"
        ).scalar_one()
        for guarded in APPEND_ONLY:
            connection.exec_driver_sql(f"ALTER TABLE {guarded} DISABLE TRIGGER USER")
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY")
        for guarded in APPEND_ONLY:
            connection.exec_driver_sql(f"ALTER TABLE {guarded} ENABLE TRIGGER USER")


def a_shop(domain: str | None = None, **kwargs: Any) -> Shop:
    """A shop with an active starter subscription."""
    return billing.open_shop(domain or f"shop-{next(counter)}.myshopify.com", **kwargs)


def auth(shop: Shop) -> dict[str, str]:
    """The headers of a signed-in client."""
    return {"Authorization": f"Bearer {tokens.issue(shop.id, shop.domain)}"}
