"""Installing and reinstalling: tokens from Shopify, then the shop and its connection in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from app.connections import queries
from app.connections.errors import InstallRefused, ShopifyAway
from app.connections.models import ConnectionStatus
from app.connections.scopes import missing
from app.connections.service.tokens import sealed_columns
from app.core.activity import record
from app.core.clock import now
from app.core.queue import wake
from app.core.settings import settings
from app.core.uow import across_shops, after_commit, unit_of_work, within_shop
from app.integrations.shopify import tokens
from app.integrations.shopify.errors import ShopifyError, ShopifyRefused
from app.integrations.shopify.tokens import Grant
from app.shops import service as shops
from app.shops.errors import ShopNotFound
from app.shops.models import Shop

log = structlog.get_logger(__name__)


def install_by_code(domain: str, code: str) -> Shop:
    """Install for a merchant who came back from Shopify. Raises InstallRefused, ShopifyAway, ShopNotFound."""
    return _install(domain, lambda at: tokens.redeem_code(domain, code, at=at))


def sign_in(domain: str, session_token: str) -> Shop:
    """The shop of a verified session token. Installs it first where it is not connected.

    An installed shop gets in even while Shopify will not connect it: what it has stays usable. Raises
    ShopNotFound for one that has not installed the app, ShopifyAway.
    """
    shop, is_connected = _known(domain)
    if shop and is_connected:
        return shop
    try:
        return _install(domain, lambda at: tokens.exchange_session_token(domain, session_token, at=at))
    except (InstallRefused, ShopifyAway) as trouble:
        if shop:
            return shop
        if isinstance(trouble, InstallRefused):
            raise ShopNotFound from trouble
        raise


def _known(domain: str) -> tuple[Shop | None, bool]:
    """The installed shop with this domain, and whether its connection is in order."""
    try:
        shop = shops.shop_by_domain(domain)
    except ShopNotFound:
        return None, False
    with unit_of_work(shop.id):
        connection = queries.connection_of(shop.id)
    return shop, connection is not None and connection.status == ConnectionStatus.ACTIVE


def _install(domain: str, ask: Callable[[datetime], Grant]) -> Shop:
    asked_at = now()  # an uninstall after this moment is of this installation
    try:
        grant = ask(asked_at)
    except ShopifyRefused as refusal:
        log.info("shopify_install_refused", reason=refusal.code[:40])
        raise InstallRefused from refusal
    except ShopifyError as trouble:
        log.warning("shopify_install_failed", reason=str(trouble)[:40])
        raise ShopifyAway from trouble
    return _store(domain, grant, asked_at)


def _store(domain: str, grant: Grant, asked_at: datetime) -> Shop:
    """Shop and connection from now on; webhooks and customers follow by doorbell. Idempotent by domain."""
    with across_shops("an installation knows the domain, not yet the shop") as session:
        shop = shops.admit(domain)
        with within_shop(shop.id):
            values = {
                "shop_id": shop.id,
                "scopes": list(grant.scopes),
                "api_version": settings().shopify_api_version,
                "installed_at": asked_at,
            }
            session.execute(queries.INSTALL, values | sealed_columns(shop.id, grant))
            record(shop.id, "connection.installed", "connection")
            session.flush()  # while the transaction is narrowed to the shop
        after_commit(lambda: wake("connections.register_webhooks", shop.id))
        after_commit(lambda: wake("customers.import_all", shop.id))
    lacking = missing(settings().scopes, grant.scopes)
    if lacking:
        log.warning("shopify_scopes_missing", shop_id=shop.id, scopes=lacking)
    return shop
