"""Reads and writes of connections, each one statement: whoever comes second changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, text, update

from app.connections.models import Connection, ConnectionStatus, OauthState, WebhookSubscription
from app.core.uow import require_unit_of_work

# A new installation ends whatever was going on with the tokens before it: that is what `turn` is for.
INSTALL = text("""
    INSERT INTO shopify_connections AS c (shop_id, status, access_token, access_expires_at, refresh_token,
      refresh_expires_at, scopes, scopes_at, api_version, installed_at, check_at)
    VALUES (:shop_id, 'active', :access_token, :access_expires_at, :refresh_token,
      :refresh_expires_at, :scopes, :installed_at, :api_version, :installed_at, :installed_at)
    ON CONFLICT (shop_id) DO UPDATE SET status = 'active', access_token = excluded.access_token,
      access_expires_at = excluded.access_expires_at, refresh_token = excluded.refresh_token,
      refresh_expires_at = excluded.refresh_expires_at, scopes = excluded.scopes,
      scopes_at = excluded.scopes_at, api_version = excluded.api_version,
      installed_at = excluded.installed_at, uninstalled_at = NULL, check_at = excluded.check_at,
      turn = c.turn + 1, leased_until = NULL, updated_at = now()
    -- of two installations at once the one that asked Shopify later has the tokens that live
    WHERE c.installed_at <= excluded.installed_at""")

# The lease is of one caller; it runs out by itself when that one dies.
LEASE_REFRESH = text("""
    UPDATE shopify_connections SET leased_until = :until, turn = turn + 1, updated_at = now()
    WHERE shop_id = :shop_id AND status = 'active' AND refresh_token IS NOT NULL
      AND (leased_until IS NULL OR leased_until <= :now)
      AND access_token = :seen
    RETURNING turn, refresh_token""")
STORE_REFRESHED = text("""
    UPDATE shopify_connections SET access_token = :access_token, access_expires_at = :access_expires_at,
      refresh_token = :refresh_token, refresh_expires_at = :refresh_expires_at, leased_until = NULL,
      updated_at = now()
    WHERE shop_id = :shop_id AND status = 'active' AND turn = :turn
    RETURNING 1""")
RELEASE_REFRESH = text("""
    UPDATE shopify_connections SET leased_until = NULL, updated_at = now(),
      status = CASE WHEN :is_over THEN 'needs_reauth' ELSE status END
    WHERE shop_id = :shop_id AND status = 'active' AND turn = :turn
    RETURNING status""")

GIVE_UP = text("""
    UPDATE shopify_connections SET status = 'needs_reauth', turn = turn + 1, updated_at = now()
    WHERE shop_id = :shop_id AND status = 'active' AND access_token = :seen
    RETURNING 1""")

# An event from before the newest installation is about the one before.
UNINSTALL = text("""
    UPDATE shopify_connections SET status = 'uninstalled', access_token = NULL, access_expires_at = NULL,
      refresh_token = NULL, refresh_expires_at = NULL, uninstalled_at = :at, turn = turn + 1,
      leased_until = NULL, updated_at = now()
    WHERE shop_id = :shop_id AND status <> 'uninstalled' AND installed_at <= :at
    RETURNING 1""")
SET_SCOPES = text("""
    UPDATE shopify_connections SET scopes = :scopes, scopes_at = :at, updated_at = now()
    WHERE shop_id = :shop_id AND status <> 'uninstalled' AND scopes_at <= :at
    RETURNING 1""")
SET_KNOWN = text("""
    UPDATE shopify_connections c SET known = c.known || CAST(:known AS jsonb), known_at = :at,
      updated_at = now()
    FROM (SELECT known FROM shopify_connections WHERE shop_id = :shop_id FOR UPDATE) AS before
    WHERE c.shop_id = :shop_id AND (c.known_at IS NULL OR c.known_at <= :at)
    RETURNING before.known""")

# In the order of their turns; one that cannot be checked comes again later and holds nobody up.
CLAIM_CHECKS = text("""
    WITH due AS MATERIALIZED (
      SELECT shop_id FROM shopify_connections WHERE status = 'active' AND check_at <= :now
      ORDER BY check_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    UPDATE shopify_connections c SET check_at = :again_at FROM due WHERE c.shop_id = due.shop_id
    RETURNING c.shop_id""")
STORE_SUBSCRIPTIONS = text("""
    INSERT INTO webhook_subscriptions (shop_id, topic, uri, shopify_id, checked_at)
    SELECT :shop_id, topic, uri, shopify_id, :now
    FROM unnest(CAST(:topics AS text[]), CAST(:uris AS text[]), CAST(:ids AS text[]))
      AS t (topic, uri, shopify_id)
    ON CONFLICT (shop_id, topic) DO UPDATE
      SET uri = excluded.uri, shopify_id = excluded.shopify_id, checked_at = excluded.checked_at""")
SEALED = text("""
    SELECT shop_id, access_token, refresh_token FROM shopify_connections
    WHERE shop_id > :after AND (access_token IS NOT NULL OR refresh_token IS NOT NULL)
    ORDER BY shop_id LIMIT :limit""")
# Only what is still as it was read: a refresh in between has sealed with the newest key already.
RESEAL = text("""
    UPDATE shopify_connections c SET access_token = t.access, refresh_token = t.refresh
    FROM unnest(CAST(:ids AS bigint[]), CAST(:old_access AS bytea[]), CAST(:old_refresh AS bytea[]),
      CAST(:access AS bytea[]), CAST(:refresh AS bytea[]))
      AS t (shop_id, old_access, old_refresh, access, refresh)
    WHERE c.shop_id = t.shop_id AND c.access_token IS NOT DISTINCT FROM t.old_access
      AND c.refresh_token IS NOT DISTINCT FROM t.old_refresh""")


def connection_of(shop_id: int) -> Connection | None:
    """The shop's connection as it is now. A step."""
    found = select(Connection).where(Connection.shop_id == shop_id)
    return require_unit_of_work().scalar(found.execution_options(populate_existing=True))


def first_row(statement: Any, values: Mapping[str, Any]) -> Row[Any] | None:
    """Run one of the statements above; its row, or None when it changed nothing. A step."""
    return require_unit_of_work().execute(statement, values).first()


def take_state(state_sha256: bytes, now: datetime) -> Row[bytes, str] | None:
    """Use up a state that has not expired: its browser and shop, once. A step."""
    taken = delete(OauthState).where(OauthState.state_sha256 == state_sha256, OauthState.expires_at > now)
    return (
        require_unit_of_work().execute(taken.returning(OauthState.browser_sha256, OauthState.domain)).first()
    )


def forget_states(now: datetime) -> None:
    """Delete the states that nobody came back with. A step."""
    require_unit_of_work().execute(delete(OauthState).where(OauthState.expires_at <= now))


def subscriptions_of(shop_id: int) -> Sequence[WebhookSubscription]:
    """The subscriptions as they were last seen. A step."""
    mine = select(WebhookSubscription).where(WebhookSubscription.shop_id == shop_id)
    return require_unit_of_work().scalars(mine.order_by(WebhookSubscription.topic)).all()


def forget_subscriptions(shop_id: int) -> None:
    """A step."""
    require_unit_of_work().execute(delete(WebhookSubscription).where(WebhookSubscription.shop_id == shop_id))


def check_again(shop_id: int, at: datetime) -> None:
    """Say when the webhooks are looked at next. A step."""
    require_unit_of_work().execute(
        update(Connection)
        .where(Connection.shop_id == shop_id, Connection.status == ConnectionStatus.ACTIVE)
        .values(check_at=at)
    )
