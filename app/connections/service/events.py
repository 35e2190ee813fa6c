"""What Shopify tells about the connection itself. Steps of the inbox's transaction; each says what it did."""

from __future__ import annotations

import re

import structlog

from app.connections import queries
from app.connections.scopes import missing
from app.connections.service.describing import learn
from app.core.activity import record
from app.core.settings import settings
from app.integrations.shopify.events import ShopifyEvent, instant
from app.messaging.service import runs
from app.shops import service as shops

log = structlog.get_logger(__name__)

SCOPE = re.compile(r"[a-z_]{1,100}", re.ASCII)
APPLIED, STALE, SCOPES_MISSING = "applied", "stale", "scopes_missing"


def uninstalled(event: ShopifyEvent) -> str:
    """The app was thrown out: tokens are dropped, nothing more is sent, nobody signs in.

    `stale` when the app was installed anew after this event, or it was done already.
    """
    shop_id = event.shop_id
    if queries.connection_of(shop_id) is None:
        return _dismiss(shop_id) if shops.was_made_before(shop_id, event.triggered_at) else STALE
    if queries.first_row(queries.UNINSTALL, {"shop_id": shop_id, "at": event.triggered_at}) is None:
        return STALE
    return _dismiss(shop_id)


def scopes_updated(event: ShopifyEvent) -> str:
    """The merchant has allowed more or less. Says when something that we need is missing."""
    current = event.payload.get("current")
    listed = current if isinstance(current, list) else []
    granted = [scope for scope in listed if isinstance(scope, str) and SCOPE.fullmatch(scope)]
    at = instant(event.payload.get("updated_at")) or event.triggered_at
    values = {"shop_id": event.shop_id, "scopes": granted, "at": at}
    if queries.first_row(queries.SET_SCOPES, values) is None:
        return STALE
    lacking = missing(settings().scopes, granted)
    if lacking:
        log.warning("shopify_scopes_missing", shop_id=event.shop_id, scopes=lacking)
    return SCOPES_MISSING if lacking else APPLIED


def shop_updated(event: ShopifyEvent) -> str:
    """The shop has another name, currency, zone or country."""
    payload = event.payload
    facts = {
        "name": payload.get("name"),
        "currency": payload.get("currency"),
        "timezone": payload.get("iana_timezone"),
        "country": payload.get("country_code") or payload.get("country"),
    }
    return APPLIED if learn(event.shop_id, facts, payload.get("updated_at")) else STALE


def _dismiss(shop_id: int) -> str:
    # Messages' runs before the shop: sending locks them in this order too.
    runs.stop_all(shop_id)
    queries.forget_subscriptions(shop_id)
    shops.dismiss(shop_id)
    record(shop_id, "connection.uninstalled", "connection")
    return APPLIED
