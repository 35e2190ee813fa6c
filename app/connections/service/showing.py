"""Connections as operators see them: everything but the tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from app.connections import queries
from app.connections.errors import NotConnected
from app.connections.models import Connection
from app.connections.scopes import missing
from app.core.errors import ValidationFailed
from app.core.settings import settings
from app.core.uow import across_shops
from app.shops.domains import normalise_domain
from app.shops.models import Shop


def list_connections(
    status: str | None = None, *, most: int
) -> Sequence[Row[str, str, datetime, datetime | None]]:
    """The newest installations: domain, status, installed_at, access_expires_at."""
    found = (
        select(Shop.domain, Connection.status, Connection.installed_at, Connection.access_expires_at)
        .join(Shop, Shop.id == Connection.shop_id)
        .order_by(Connection.installed_at.desc())
        .limit(most)
    )
    with across_shops("an operator looks at connections") as session:
        return session.execute(found.where(Connection.status == status) if status else found).all()


def show_connection(shop: str) -> dict[str, Any]:
    """One shop's connection and its webhooks. Raises ValidationFailed, NotConnected."""
    domain = normalise_domain(shop)
    if domain is None:
        raise ValidationFailed("shop", "must be the address of a Shopify shop")
    with across_shops("an operator looks at one connection") as session:
        shop_id = session.scalar(select(Shop.id).where(Shop.domain == domain))
        connection = queries.connection_of(shop_id) if shop_id else None
        if shop_id is None or connection is None:
            raise NotConnected("This shop has never been connected.")
        return _facts(connection) | {
            f"webhook {one.topic}": f"{one.uri} (seen {one.checked_at:%Y-%m-%d %H:%M})"
            for one in queries.subscriptions_of(shop_id)
        }


def _facts(connection: Connection) -> dict[str, Any]:
    return {
        "shop id": connection.shop_id,
        "status": connection.status,
        "installed": connection.installed_at,
        "uninstalled": connection.uninstalled_at,
        "access token until": connection.access_expires_at,
        "refresh token until": connection.refresh_expires_at,
        "API version": connection.api_version,
        "scopes": " ".join(connection.scopes),
        "missing scopes": " ".join(missing(settings().scopes, connection.scopes)) or None,
        "webhooks looked at next": connection.check_at,
    }
