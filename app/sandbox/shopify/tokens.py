"""Codes and tokens: the four grants of the token endpoint, and whom an access token lets in.

shopify.dev: offline tokens live an hour and come with a refresh token that lives 90 days. A used refresh
token may be tried again until its replacement is used, at most 30 days after its first use.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from app.sandbox.shopify import shops
from app.sandbox.shopify.shops import Shop, granted
from app.sandbox.shopify.state import Shopify

CODE_SECONDS = 60
ACCESS_SECONDS = 3600
ONLINE_SECONDS = 86399
REFRESH_SECONDS = 90 * 86400
GRACE_SECONDS = 30 * 86400
LEEWAY_SECONDS = 10
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 -- a name
OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"
ONLINE = "urn:shopify:params:oauth:token-type:online-access-token"
CLAIMS = ["iss", "dest", "aud", "sub", "exp", "nbf", "iat", "jti", "sid"]

INSERT = "INSERT INTO tokens (value, kind, shop, scopes, is_online, expires_at) VALUES (?, ?, ?, ?, ?, ?)"
USER = {
    "id": 42,
    "first_name": "Maria",
    "last_name": "Owner",
    "email": "owner@example.com",
    "email_verified": True,
    "account_owner": True,
    "locale": "en",
    "collaborator": False,
}


@dataclass
class TokenRefused(Exception):
    """No token. `error` is the word of the answer."""

    error: str
    description: str = ""
    status: int = 400


@dataclass(frozen=True)
class Access:
    """What an access token allows."""

    shop: Shop
    scopes: str

    def may(self, scope: str) -> bool:
        """Whether a scope was granted; write_x includes read_x."""
        held = set(self.scopes.split(","))
        return scope in held or scope.replace("read_", "write_", 1) in held


def new_code(world: Shopify, shop: Shop, scopes: str, *, is_online: bool) -> str:
    """The merchant has said yes."""
    code = secrets.token_hex(16)
    expires_at = world.clock.now() + CODE_SECONDS
    world.store.run(INSERT, (code, "code", shop.domain, granted(scopes.split(",")), is_online, expires_at))
    return code


def grant(world: Shopify, shop: Shop, body: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a request for a token. Raises TokenRefused."""
    if body.get("client_id") != world.app.api_key or body.get("client_secret") not in world.app.secrets:
        raise TokenRefused("invalid_client", "client_id or client_secret is wrong", 401)
    with world.store.changing():
        if body.get("grant_type") == "refresh_token":
            return _refresh(world, shop, str(body.get("refresh_token", "")))
        if body.get("grant_type") == EXCHANGE:
            return _exchange(world, shop, body)
        if body.get("code"):
            return _redeem(world, shop, body)
    raise TokenRefused("unsupported_grant_type")


def access_of(world: Shopify, domain: str, token: str) -> Access | None:
    """Whom an access token lets in; None for one that is unknown, expired, or another shop's."""
    row = world.store.row("SELECT * FROM tokens WHERE value = ? AND kind = 'access'", (token,))
    if row is None or row["shop"] != domain or _is_over(world, row):
        return None
    shop = shops.by_domain(world, domain)
    return Access(shop, shop.scopes) if shop.is_installed else None


def expire_all(world: Shopify, domain: str) -> int:
    """Every access token of a shop is old from now on; refresh tokens stay."""
    sql = "UPDATE tokens SET expires_at = ? WHERE shop = ? AND kind = 'access'"
    return world.store.run(sql, (world.clock.now(), domain))


def _redeem(world: Shopify, shop: Shop, body: Mapping[str, Any]) -> dict[str, Any]:
    code = str(body["code"])
    row = world.store.row("SELECT * FROM tokens WHERE value = ? AND kind = 'code'", (code,))
    if row is None or row["shop"] != shop.domain or row["used_at"] is not None or _is_over(world, row):
        raise TokenRefused("invalid_request", "The authorization code was not found or was already used")
    world.store.run("UPDATE tokens SET used_at = ? WHERE value = ?", (world.clock.now(), code))
    shops.installed(world, shop.domain, row["scopes"])
    return _issue(world, shop, row["scopes"], body, is_online=bool(row["is_online"]))


def _exchange(world: Shopify, shop: Shop, body: Mapping[str, Any]) -> dict[str, Any]:
    kind, subject = body.get("subject_token_type"), str(body.get("subject_token", ""))
    if kind == OFFLINE:
        return _migrate(world, shop, subject, body)
    if kind != ID_TOKEN or body.get("requested_token_type") not in (OFFLINE, ONLINE):
        raise TokenRefused("invalid_request", "unknown subject_token_type or requested_token_type")
    _require_session_token(world, shop, subject)
    is_online = body["requested_token_type"] == ONLINE
    return _issue(world, shop, shop.scopes, body, is_online=is_online)


def _require_session_token(world: Shopify, shop: Shop, token: str) -> None:
    for secret in world.app.secrets:
        try:
            claims = jwt.decode(
                token,
                secret,
                algorithms=["HS256"],
                audience=world.app.api_key,
                options={"require": CLAIMS, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            continue
        now = world.clock.now()
        is_now = claims["nbf"] - LEEWAY_SECONDS <= now < claims["exp"] + LEEWAY_SECONDS
        # One that was made before the app was thrown out does not bring it back.
        is_of_this_install = shop.is_installed and claims["iat"] >= shop.uninstalled_at
        if is_now and is_of_this_install and claims["dest"] == f"https://{shop.domain}":
            return
    raise TokenRefused("invalid_subject_token", "The session token is not valid")


def _migrate(world: Shopify, shop: Shop, old: str, body: Mapping[str, Any]) -> dict[str, Any]:
    row = world.store.row("SELECT * FROM tokens WHERE value = ? AND kind = 'access'", (old,))
    if row is None or row["shop"] != shop.domain or row["expires_at"] is not None:
        raise TokenRefused("invalid_subject_token", "Only a non-expiring token can be exchanged")
    answer = _issue(world, shop, row["scopes"], {**body, "expiring": "1"}, is_online=False)
    world.store.run("DELETE FROM tokens WHERE value = ?", (old,))
    return answer


def _refresh(world: Shopify, shop: Shop, token: str) -> dict[str, Any]:
    now = world.clock.now()
    row = world.store.row("SELECT * FROM tokens WHERE value = ? AND kind = 'refresh'", (token,))
    if row is None or row["shop"] != shop.domain or _is_over(world, row):
        raise TokenRefused("invalid_grant", "The refresh token is not valid", 401)
    if row["used_at"] is not None:
        replacement = world.store.row("SELECT * FROM tokens WHERE value = ?", (row["replacement"],))
        is_late = now - row["used_at"] > GRACE_SECONDS
        if is_late or replacement is None or replacement["used_at"] is not None:
            raise TokenRefused("invalid_grant", "The refresh token was already used", 401)
        return _answer(world, shop, row["scopes"], replacement["value"])
    answer = _answer(world, shop, row["scopes"], _new(world, shop, row["scopes"], "refresh", REFRESH_SECONDS))
    world.store.run(
        "UPDATE tokens SET used_at = ?, replacement = ? WHERE value = ?",
        (now, answer["refresh_token"], token),
    )
    return answer


def _issue(
    world: Shopify, shop: Shop, scopes: str, body: Mapping[str, Any], *, is_online: bool
) -> dict[str, Any]:
    if is_online:
        token = _new(world, shop, scopes, "access", ONLINE_SECONDS, is_online=True)
        user = {"associated_user_scope": scopes, "associated_user": USER}
        return {"access_token": token, "scope": scopes, "expires_in": ONLINE_SECONDS, **user}
    if str(body.get("expiring", "0")) == "1":
        return _answer(world, shop, scopes, _new(world, shop, scopes, "refresh", REFRESH_SECONDS))
    if not world.switches.now.non_expiring_tokens:
        raise TokenRefused("invalid_request", "Non-expiring tokens are no longer given: ask with expiring=1")
    return {"access_token": _new(world, shop, scopes, "access", None), "scope": scopes}


def _answer(world: Shopify, shop: Shop, scopes: str, refresh_token: str) -> dict[str, Any]:
    row = world.store.row("SELECT expires_at FROM tokens WHERE value = ?", (refresh_token,))
    left = row["expires_at"] - world.clock.now() if row else REFRESH_SECONDS
    return {
        "access_token": _new(world, shop, scopes, "access", ACCESS_SECONDS),
        "scope": scopes,
        "expires_in": ACCESS_SECONDS,
        "refresh_token": refresh_token,
        "refresh_token_expires_in": left,
    }


def _new(
    world: Shopify, shop: Shop, scopes: str, kind: str, seconds: int | None, *, is_online: bool = False
) -> str:
    prefix = {"access": "shpua_" if is_online else "shpat_", "refresh": "shprt_"}[kind]
    value = prefix + secrets.token_hex(16)
    expires_at = None if seconds is None else world.clock.now() + seconds
    world.store.run(INSERT, (value, kind, shop.domain, scopes, is_online, expires_at))
    return value


def _is_over(world: Shopify, row: Any) -> bool:
    return row["expires_at"] is not None and row["expires_at"] <= world.clock.now()
