"""The app's own JWT, and Shopify's session token.

Sources: contract §2.1 (claims, 30 days), Shopify "session tokens" (HS256 by the client secret, one minute,
`dest` and `iss` name the shop, `aud` the client id).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import jwt

from app.core.clock import now
from app.core.errors import InvalidToken, TokenExpired
from app.core.http.schema import ID, MAX_ID
from app.core.settings import settings
from app.integrations.shopify.signatures import secrets_of
from app.shops.domains import SHOP_DOMAIN

LIFETIME = timedelta(days=30)
REFRESH_GRACE = timedelta(days=7)
LEEWAY_SECONDS = 10
SOURCE = "auth_service"
SESSION_CLAIMS = ["iss", "dest", "aud", "sub", "exp", "nbf", "iat", "jti", "sid"]


@dataclass(frozen=True)
class Credential:
    """What a verified app token says."""

    shop_id: int
    shop_domain: str
    expires_at: datetime


def issue(shop_id: int, shop_domain: str) -> str:
    """A new app token, valid 30 days.

    One client decodes the payload with plain atob, which knows neither - nor _: sign until the segment has
    none.
    """
    issued = now()
    claims = {"storeId": str(shop_id), "shopDomain": shop_domain, "source": SOURCE}
    claims |= {"iat": issued, "exp": issued + LIFETIME}  # type: ignore[dict-item]
    while True:
        token = jwt.encode({**claims, "jti": uuid4().hex}, settings().jwt_secret, algorithm="HS256")
        if not set("-_") & set(token.split(".")[1]):
            return token


def verify(token: str, *, grace: timedelta = timedelta()) -> Credential:
    """The credential in an app token. Raises TokenExpired or InvalidToken."""
    claims = _decode(token, settings().jwt_secret, leeway=grace, options={"require": ["exp", "iat"]})
    shop_id = str(claims.get("storeId", ""))
    if claims.get("source") != SOURCE or not ID.fullmatch(shop_id) or int(shop_id) > MAX_ID:
        raise InvalidToken
    try:
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    except (ValueError, OverflowError, OSError) as nonsense:
        raise InvalidToken from nonsense
    return Credential(int(shop_id), str(claims.get("shopDomain", "")), expires_at)


def verify_session_token(token: str) -> str:
    """The shop domain in a Shopify session token. Raises TokenExpired or InvalidToken."""
    claims = _session_claims(token)
    try:
        shop, issuer = urlsplit(str(claims["dest"])), urlsplit(str(claims["iss"]))
    except ValueError as no_url:
        raise InvalidToken from no_url
    domain = shop.hostname or ""
    if shop.scheme != "https" or not SHOP_DOMAIN.fullmatch(domain) or issuer.hostname != domain:
        raise InvalidToken
    return domain


def _session_claims(token: str) -> dict[str, Any]:
    """The claims, signed with any live client secret: two live while one replaces the other."""
    secrets = secrets_of(settings().shopify_api_secret)
    for number, secret in enumerate(secrets, start=1):
        try:
            return _decode(
                token,
                secret,
                audience=settings().shopify_api_key,
                leeway=timedelta(seconds=LEEWAY_SECONDS),
                options={"require": SESSION_CLAIMS},
            )
        except TokenExpired:
            raise  # signed by this secret, and no other makes it younger
        except InvalidToken:
            if number == len(secrets):
                raise
    raise InvalidToken


def _decode(token: str, secret: str, *, leeway: timedelta, **kwargs: Any) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(token, secret, algorithms=["HS256"], leeway=leeway, **kwargs)
    except jwt.ExpiredSignatureError as expired:
        raise TokenExpired from expired
    except (jwt.InvalidTokenError, UnicodeError, ValueError) as invalid:
        raise InvalidToken from invalid
    return claims
