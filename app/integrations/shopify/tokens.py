"""Shopify's token endpoint: every way to an offline access token.

We always ask for expiring tokens, which Shopify demands of public apps: an hour of access, and a refresh
token that lives 90 days. A used refresh token may be used again until its replacement is (shopify.dev,
changelog of 28 August 2026), so a refresh whose answer was lost is simply asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests

from app.core.settings import settings
from app.integrations.shopify import addresses
from app.integrations.shopify.errors import ShopifyRefused, ShopifyUnavailable
from app.integrations.shopify.signatures import secrets_of
from app.integrations.shopify.transport import json_of, post

TIMEOUT_SECONDS = 8.0  # the merchant's browser waits, and gives up after ten
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
SESSION_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 -- a name
OFFLINE_TOKEN = "urn:shopify:params:oauth:token-type:offline-access-token"  # noqa: S105 -- a name
OK = 200
REFUSALS = frozenset({400, 401, 404})
LONGEST_SECONDS = 10 * 365 * 86_400


@dataclass(frozen=True)
class Grant:
    """What Shopify has given. Without `expires_at` the access token is for ever and has no refresh token."""

    access_token: str = field(repr=False)
    scopes: tuple[str, ...]
    expires_at: datetime | None = None
    refresh_token: str | None = field(default=None, repr=False)
    refresh_expires_at: datetime | None = None


def redeem_code(domain: str, code: str, *, at: datetime) -> Grant:
    """Exchange the code of a redirect; a code works once. `at` is now: lifetimes count from it.

    Raises ShopifyRefused, ShopifyUnavailable.
    """
    return _ask(domain, {"code": code, "expiring": "1"}, at)


def exchange_session_token(domain: str, session_token: str, *, at: datetime) -> Grant:
    """Exchange a session token of this minute. Raises ShopifyRefused, ShopifyUnavailable."""
    body = {
        "grant_type": EXCHANGE,
        "subject_token": session_token,
        "subject_token_type": SESSION_TOKEN,
        "requested_token_type": OFFLINE_TOKEN,
        "expiring": "1",
    }
    return _ask(domain, body, at)


def refresh(domain: str, refresh_token: str, *, at: datetime) -> Grant:
    """New tokens for a refresh token. May be repeated until the new refresh token is used.

    Raises ShopifyRefused, ShopifyUnavailable.
    """
    return _ask(domain, {"grant_type": "refresh_token", "refresh_token": refresh_token}, at)


def _ask(domain: str, body: Mapping[str, str], at: datetime) -> Grant:
    secret = secrets_of(settings().shopify_api_secret)[0]
    credentials = {"client_id": settings().shopify_api_key, "client_secret": secret}
    answer = post(addresses.tokens(domain), credentials | dict(body), timeout_seconds=TIMEOUT_SECONDS)
    word = "" if answer.status_code == OK else _word(answer)
    # A wrong client secret is our fault, not the end of every shop's connection.
    if answer.status_code in REFUSALS and word != "invalid_client":
        raise ShopifyRefused(word or f"http_{answer.status_code}")
    if answer.status_code != OK:
        raise ShopifyUnavailable(word or f"http_{answer.status_code}", may_be_done=True)
    return _grant(json_of(answer), at)


def _word(answer: requests.Response) -> str:
    try:
        return str(json_of(answer).get("error") or "")[:100]
    except ShopifyUnavailable:
        return ""


def _grant(answer: Mapping[str, Any], at: datetime) -> Grant:
    access, renewal = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(access, str) or not access:
        raise ShopifyUnavailable("no_token", may_be_done=True)
    return Grant(
        access_token=access,
        scopes=tuple(scope for part in str(answer.get("scope") or "").split(",") if (scope := part.strip())),
        expires_at=_moment(answer.get("expires_in"), at),
        refresh_token=renewal if isinstance(renewal, str) and renewal else None,
        refresh_expires_at=_moment(answer.get("refresh_token_expires_in"), at),
    )


def _moment(seconds: Any, at: datetime) -> datetime | None:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds < LONGEST_SECONDS:
        return None
    return at + timedelta(seconds=seconds)
