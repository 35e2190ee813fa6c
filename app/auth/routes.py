"""Sign-in and "who am I"."""

from __future__ import annotations

from typing import Any

from flask import g

from app.auth import tokens
from app.auth.authentication import bearer_token
from app.auth.schemas import (
    RefreshedSchema,
    SessionTokenIn,
    SignedInSchema,
    VerifiedSchema,
    WhoamiSchema,
)
from app.core.http import ApiBlueprint
from app.credits import service as credits
from app.shops import service
from app.shops.models import Shop

public = ApiBlueprint("sign-in", __name__, public=True, description="Getting a token")
blueprint = ApiBlueprint("auth", __name__, description="The signed-in shop")
EXPIRES_IN = "30d"


@public.post("/auth/shopify-token")
@public.arguments(SessionTokenIn)
@public.data(200, SignedInSchema, mirror=True)
@public.errors(401)
def exchange_session_token(body: dict[str, Any]) -> dict[str, Any]:
    """Exchange a Shopify session token for an app token."""
    shop = service.shop_by_domain(tokens.verify_session_token(body["session_token"]))
    return {"token": tokens.issue(shop.id, shop.domain), "store": store(shop), "expires_in": EXPIRES_IN}


@public.post("/auth/refresh")
@public.data(200, RefreshedSchema)
@public.errors(401)
def refresh() -> dict[str, Any]:
    """Exchange an app token, expired for at most seven days, for a new one."""
    credential = tokens.verify(bearer_token(), grace=tokens.REFRESH_GRACE)
    shop = service.signed_in_shop(credential.shop_id)
    return {"token": tokens.issue(shop.id, shop.domain), "expires_in": EXPIRES_IN}


@blueprint.get("/auth/verify")
@blueprint.data(200, VerifiedSchema)
def verify() -> dict[str, Any]:
    """Say whose token this is."""
    facts = {"store_id": g.shop_id, "source": tokens.SOURCE, "exp": int(g.credential.expires_at.timestamp())}
    return {"valid": True, "store": store(g.shop), "token": facts}


@blueprint.get("/whoami")
@blueprint.response(200, WhoamiSchema)
@blueprint.errors(401)
def whoami() -> dict[str, Any]:
    """The signed-in shop."""
    return {"success": True, "shop": {**store(g.shop), "timezone": g.shop.timezone}}


def store(shop: Shop) -> dict[str, Any]:
    """The shop as the clients know it; `credits` is the wallet."""
    return {
        "id": shop.id,
        "shop_domain": shop.domain,
        "shop_name": shop.display_name,
        "credits": credits.wallet_of(shop.id),
        "currency": shop.currency,
    }
