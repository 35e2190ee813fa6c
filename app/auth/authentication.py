"""Who is calling: the tenant comes from the Bearer token and from nowhere else."""

from __future__ import annotations

import structlog
from flask import Flask, current_app, g, request

from app.auth import tokens
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


def authenticate() -> None:
    """Set `g.shop_id` and `g.shop`. Raises AuthenticationRequired, InvalidToken, ShopNotFound or
    TenantMismatch.
    """
    if request.endpoint is None or request.method == "OPTIONS" or _is_public(request.blueprint):
        return
    credential = tokens.verify(bearer_token())
    shop = service.signed_in_shop(credential.shop_id)
    named = request.headers.get("X-Shopify-Shop-Domain") or request.headers.get("X-Shopify-Shop")
    claimed = normalise_domain(named) if named else None
    if claimed and claimed != shop.domain:
        raise TenantMismatch
    g.credential, g.shop, g.shop_id = credential, shop, shop.id
    structlog.contextvars.bind_contextvars(shop_id=shop.id)


def bearer_token() -> str:
    """The token of the Authorization header. Raises AuthenticationRequired."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AuthenticationRequired
    return token.strip()


def _is_public(blueprint: str | None) -> bool:
    if blueprint in OPEN_BLUEPRINTS:
        return True
    found = current_app.blueprints.get(blueprint or "")
    return isinstance(found, ApiBlueprint) and found.public
