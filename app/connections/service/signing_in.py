"""The way to Shopify and back: where the merchant is sent, and what counts as having come back.

What a sign-in needs to remember is a row that is used up once, and a random name in the browser's cookie: a
link that somebody else began cannot sign this browser in to their shop.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from app.connections import queries
from app.connections.errors import InstallRefused, NotFromShopify
from app.connections.models import OauthState
from app.core.clock import now
from app.core.errors import DomainError, ValidationFailed
from app.core.settings import settings
from app.core.uow import across_shops
from app.core.urls import public_base_url
from app.integrations.shopify import addresses
from app.integrations.shopify.signatures import is_signed_query, secrets_of
from app.shops.domains import SHOP_DOMAIN, normalise_domain

CALLBACK_PATH = "/auth/callback"
LIFETIME = timedelta(minutes=10)
RANDOM_BYTES = 32
# Shopify signs the moment at which it sent the merchant back. Its libraries allow 90 s and 24 h; our states
# live ten minutes.
TIMESTAMP_TOLERANCE = timedelta(minutes=10)
NEEDED = ("shop", "state", "hmac", "timestamp")
Query = Mapping[str, Sequence[str]]


class InvalidShopDomain(DomainError):
    code = "INVALID_SHOP_DOMAIN"
    message = "This is not the address of a Shopify shop."


@dataclass(frozen=True)
class Departure:
    """Where to send the merchant, and what the browser must still have when it comes back."""

    url: str
    browser: str


@dataclass(frozen=True)
class Arrival:
    """A merchant came back from Shopify with this code for this shop."""

    domain: str
    code: str


def depart(shop: str, browser: str | None) -> Departure:
    """Begin a sign-in of the named shop. Raises ValidationFailed.

    `browser` is the name in the browser's cookie, if it has one: sign-ins in several tabs go on side by side.
    """
    domain = normalise_domain(shop)
    if domain is None:
        raise ValidationFailed("shop", "must be the address of a Shopify shop")
    state = secrets.token_urlsafe(RANDOM_BYTES)
    browser = browser or secrets.token_urlsafe(RANDOM_BYTES)
    row = OauthState(
        state_sha256=_hash(state), browser_sha256=_hash(browser), domain=domain, expires_at=now() + LIFETIME
    )
    with across_shops("who signs in may have no shop yet") as session:
        session.add(row)
    redirect_uri = public_base_url() + CALLBACK_PATH
    url = addresses.authorization(domain, scopes=settings().scopes, redirect_uri=redirect_uri, state=state)
    return Departure(url, browser)


def arrive(query: Query, browser: str | None) -> Arrival:
    """Check a return from Shopify, in Shopify's order: shop, state, signature, time. Uses up the state.

    Raises ValidationFailed, InvalidShopDomain and NotFromShopify, where no sign-in of ours is known, and
    InstallRefused.
    """
    given = {name: values[0] for name, values in query.items() if len(values) == 1}
    denied = "error" in given  # the merchant said no
    for name in (*NEEDED, *(() if denied else ("code",))):
        if not given.get(name):
            raise ValidationFailed(name, "is missing")
    domain = given["shop"]
    if not SHOP_DOMAIN.fullmatch(domain):
        raise InvalidShopDomain
    is_ours = _take_state(given["state"], browser, domain)
    if not is_signed_query(query, secrets_of(settings().shopify_api_secret)):
        raise NotFromShopify
    if not is_ours:
        raise InstallRefused("The sign-in took too long or was used already. Please start again.")
    if not _is_of_now(given["timestamp"]):
        raise InstallRefused("The sign-in took too long. Please start again.")
    if denied:
        raise InstallRefused("The app was not allowed into the shop.")
    return Arrival(domain, given["code"])


def _take_state(state: str, browser: str | None, domain: str) -> bool:
    with across_shops("a state belongs to no shop"):
        row = queries.take_state(_hash(state), now())
    return row is not None and row.domain == domain and bytes(row.browser_sha256) == _hash(browser or "")


def _is_of_now(timestamp: str) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    return abs(now().timestamp() - int(timestamp)) <= TIMESTAMP_TOLERANCE.total_seconds()


def _hash(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
