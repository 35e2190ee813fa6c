"""Connections: a shop's tokens, sign-ins under way, webhook subscriptions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Integer, LargeBinary, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model


class ConnectionStatus(StrEnum):
    """`needs_reauth`: Shopify takes our tokens no more, and the merchant must open the app once."""

    ACTIVE = "active"
    NEEDS_REAUTH = "needs_reauth"
    UNINSTALLED = "uninstalled"


class Connection(Model):
    """A shop's tie to Shopify. Tokens are encrypted, and gone when the app was uninstalled.

    `installed_at` is the moment before the newest tokens were asked for. `turn` counts everything that makes
    an answer to an older refresh worthless; whoever holds `leased_until` refreshes. `known` is what Shopify
    last said about the shop, `known_at` as of when. `check_at` is when the webhooks are looked at next.
    """

    __tablename__ = "shopify_connections"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    status: Mapped[str] = mapped_column(Text)
    access_token: Mapped[bytes | None] = mapped_column(LargeBinary)
    access_expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    refresh_token: Mapped[bytes | None] = mapped_column(LargeBinary)
    refresh_expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    turn: Mapped[int] = mapped_column(Integer, server_default="0")
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    scopes_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    api_version: Mapped[str] = mapped_column(Text)
    installed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    uninstalled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    known: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    known_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    check_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    __table_args__ = (
        Index("ix_shopify_connections_check_at", "check_at", postgresql_where=text("status = 'active'")),
    )


class OauthState(Model):
    """A sign-in at Shopify under way, known by the hashes of its state and of the browser that began it.

    Belongs to no shop: there may be none yet.
    """

    __tablename__ = "oauth_states"
    state_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    browser_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    domain: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


class WebhookSubscription(Model):
    """A topic that Shopify posts to us, as we last saw it there."""

    __tablename__ = "webhook_subscriptions"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    topic: Mapped[str] = mapped_column(Text, primary_key=True)
    uri: Mapped[str] = mapped_column(Text)
    shopify_id: Mapped[str] = mapped_column(Text)
    checked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
