"""Access tokens: always a fresh one, refreshed by one caller at a time and never inside a transaction.

A refresh is claimed by a lease on the connection's row, asked of Shopify with no transaction open, and stored
at once with its refresh token. A process that dies in between loses nothing: Shopify takes the old refresh
token again as long as the new one was not used, so the next caller asks anew when the lease is over.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from app.connections import queries
from app.connections.encryption import UnreadableToken, seal, unseal
from app.connections.errors import NotConnected
from app.connections.models import Connection, ConnectionStatus
from app.core.activity import record
from app.core.clock import now
from app.core.uow import unit_of_work
from app.integrations.shopify import tokens
from app.integrations.shopify.client import PATIENCE_SECONDS, ShopifyClient
from app.integrations.shopify.errors import ShopifyRefused, ShopifyUnavailable
from app.integrations.shopify.tokens import Grant
from app.shops import service as shops

log = structlog.get_logger(__name__)

EARLY = timedelta(minutes=5)
LEASE = timedelta(seconds=30)  # more than a call can last: 3 s to connect and 8 s of silence
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Held:
    """What a connection holds at a moment; `sealed` tells one access token from the next."""

    domain: str
    access_token: str
    sealed: bytes
    is_fresh: bool
    is_expired: bool
    is_renewable: bool


def admin(shop_id: int, *, patience_seconds: float = PATIENCE_SECONDS) -> ShopifyClient:
    """The shop's Admin API, with a token that is good for minutes, and for another one should it die early.

    Must be called, and the client used, outside a unit of work. Raises NotConnected, and ShopifyUnavailable
    when the token is over and Shopify cannot be asked for a new one.
    """
    held = _held(shop_id)
    if not held.is_fresh and held.is_renewable:
        held = _renewed(shop_id, held)
    return ShopifyClient(
        held.domain,
        held.access_token,
        renew=lambda: _replacement(shop_id, held.sealed),
        patience_seconds=patience_seconds,
    )


def is_connected(shop_id: int) -> bool:
    """Whether the shop has a connection that Shopify was last content with. A step."""
    connection = queries.connection_of(shop_id)
    return connection is not None and connection.status == ConnectionStatus.ACTIVE


def _held(shop_id: int) -> Held:
    with unit_of_work(shop_id):
        connection = queries.connection_of(shop_id)
        if connection is None or connection.status != ConnectionStatus.ACTIVE or not connection.access_token:
            raise NotConnected
        domain = shops.find_shop(shop_id).domain
    return _opened(shop_id, domain, connection, connection.access_token)


def _opened(shop_id: int, domain: str, connection: Connection, sealed: bytes) -> Held:
    try:
        access_token = unseal(shop_id, sealed)
    except UnreadableToken as unreadable:
        # The keys are wrong, not the connection: with the right ones it works again.
        log.error("shopify_token_unreadable", shop_id=shop_id)
        raise NotConnected from unreadable
    expires_at = connection.access_expires_at
    return Held(
        domain=domain,
        access_token=access_token,
        sealed=sealed,
        is_fresh=expires_at is None or expires_at - EARLY > now(),
        is_expired=expires_at is not None and expires_at <= now(),
        is_renewable=connection.refresh_token is not None,
    )


def _replacement(shop_id: int, rejected: bytes) -> str:
    """Another access token than the one that Shopify rejects. Raises NotConnected, ShopifyUnavailable."""
    held = _held(shop_id)
    if held.sealed != rejected:
        return held.access_token  # somebody has refreshed meanwhile
    if not held.is_renewable:
        _give_up(shop_id, rejected)
        raise NotConnected
    return _renewed(shop_id, held, is_rejected=True).access_token


def _renewed(shop_id: int, held: Held, *, is_rejected: bool = False) -> Held:
    """Refresh, or wait for whoever is at it; a token that is still good is used meanwhile.

    Raises NotConnected, ShopifyUnavailable.
    """
    must = held.is_expired or is_rejected
    deadline = time.monotonic() + LEASE.total_seconds()
    while True:
        lease = _lease(shop_id, held)
        if lease:
            return _refresh(shop_id, held, lease, must=must)
        current = _held(shop_id)
        if current.sealed != held.sealed or not must:
            return current
        if time.monotonic() > deadline:
            raise ShopifyUnavailable("refresh_under_way")
        time.sleep(POLL_SECONDS)


def _lease(shop_id: int, held: Held) -> tuple[int, bytes] | None:
    moment = now()
    values = {"shop_id": shop_id, "seen": held.sealed, "now": moment, "until": moment + LEASE}
    with unit_of_work(shop_id):
        row = queries.first_row(queries.LEASE_REFRESH, values)
    return (row.turn, bytes(row.refresh_token)) if row else None


def _refresh(shop_id: int, held: Held, lease: tuple[int, bytes], *, must: bool) -> Held:
    turn, refresh_token = lease
    try:
        grant = tokens.refresh(held.domain, unseal(shop_id, refresh_token), at=now())
    except ShopifyRefused as refusal:
        _release(shop_id, turn, is_over=True, reason=refusal.code)
        raise NotConnected from refusal
    except ShopifyUnavailable:
        _release(shop_id, turn, is_over=False)
        if must:
            raise
        return held  # good for some minutes yet
    return _store(shop_id, held, turn, grant)


def _store(shop_id: int, held: Held, turn: int, grant: Grant) -> Held:
    columns = sealed_columns(shop_id, grant)
    with unit_of_work(shop_id):
        queries.first_row(queries.STORE_REFRESHED, {"shop_id": shop_id, "turn": turn, **columns})
    # Whoever was overtaken stores nothing; the access token that it got is good all the same.
    return Held(held.domain, grant.access_token, columns["access_token"], True, False, True)


def sealed_columns(shop_id: int, grant: Grant) -> dict[str, Any]:
    """A grant's columns, encrypted."""
    return {
        "access_token": seal(shop_id, grant.access_token),
        "access_expires_at": grant.expires_at,
        "refresh_token": seal(shop_id, grant.refresh_token) if grant.refresh_token else None,
        "refresh_expires_at": grant.refresh_expires_at,
    }


def _release(shop_id: int, turn: int, *, is_over: bool, reason: str = "") -> None:
    values = {"shop_id": shop_id, "turn": turn, "is_over": is_over}
    with unit_of_work(shop_id):
        row = queries.first_row(queries.RELEASE_REFRESH, values)
        if row and is_over:
            record(shop_id, "connection.needs_reauth", "connection")
    if row and is_over:
        log.warning("shopify_needs_reauth", shop_id=shop_id, reason=reason[:40])


def _give_up(shop_id: int, rejected: bytes) -> None:
    """A token without a refresh token that Shopify rejects is over for good."""
    with unit_of_work(shop_id):
        row = queries.first_row(queries.GIVE_UP, {"shop_id": shop_id, "seen": rejected})
        if row:
            record(shop_id, "connection.needs_reauth", "connection")
    if row:
        log.warning("shopify_needs_reauth", shop_id=shop_id, reason="rejected")
