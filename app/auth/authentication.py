"""Who is calling: the tenant comes from the Bearer token (an app token, or an API key) and only from it."""

from __future__ import annotations

import structlog
from flask import Flask, current_app, g, request

from app.access.scopes import require_scope
from app.access.service import keys
from app.auth import tokens
from app.core.activity import SYSTEM, Actor, ActorKind, act_as, network_of
from app.core.errors import AuthenticationRequired
from app.core.http import ApiBlueprint
from app.shops import service
from app.shops.domains import normalise_domain
from app.shops.errors import TenantMismatch

# What is served without a credential besides public blueprints: the documentation and static files.
OPEN_BLUEPRINTS = {"api-docs", "swagger"}


def register_authentication(app: Flask) -> None:
    """Check the credential before every route that is not public."""
    app.before_request(authenticate)
    app.teardown_request(lambda _: act_as(SYSTEM))  # the thread goes on to other work


def authenticate() -> None:
    """Set `g.shop_id` and `g.shop`, and who acts. Raises AuthenticationRequired, InvalidToken, ShopNotFound,
    TenantMismatch, and for an API key ScopeMissing or NotForApiKeys.
    """
    _act_as(ActorKind.SYSTEM)  # on public routes nobody has said who they are
    if request.endpoint is None or request.method == "OPTIONS" or _is_public(request.blueprint):
        return
    token = bearer_token()
    credential = keys.open_with(token) if keys.is_api_key(token) else tokens.verify(token)
    shop = service.signed_in_shop(credential.shop_id)
    named = request.headers.get("X-Shopify-Shop-Domain") or request.headers.get("X-Shopify-Shop")
    claimed = normalise_domain(named) if named else None
    if claimed and claimed != shop.domain:
        raise TenantMismatch
    if isinstance(credential, keys.OpenedKey):
        require_scope(credential.scopes, request.blueprint, request.method)
        _act_as(ActorKind.API_KEY, credential.key_id)
    else:
        _act_as(ActorKind.USER)
    g.credential, g.shop, g.shop_id = credential, shop, shop.id
    structlog.contextvars.bind_contextvars(shop_id=shop.id)


def bearer_token() -> str:
    """The token of the Authorization header. Raises AuthenticationRequired."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AuthenticationRequired
    return token.strip()


def _act_as(kind: ActorKind, actor_id: int | None = None) -> None:
    act_as(Actor(kind, actor_id, g.request_id, network_of(request.remote_addr)))


def _is_public(blueprint: str | None) -> bool:
    if blueprint in OPEN_BLUEPRINTS:
        return True
    found = current_app.blueprints.get(blueprint or "")
    return isinstance(found, ApiBlueprint) and found.public
