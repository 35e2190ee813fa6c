"""Sign-in and "who am I"."""

from __future__ import annotations

from typing import Any

from flask import g, request
from werkzeug.wrappers import Response

from app.auth import redirects, tokens
from app.auth.authentication import bearer_token
from app.auth.schemas import (
    CallbackIn,
    RefreshedSchema,
    SessionTokenIn,
    ShopIn,
    SignedInSchema,
    VerifiedSchema,
    WhoamiSchema,
)
from app.connections.service import installing, signing_in
from app.core.http import ApiBlueprint
from app.core.queue import wake
from app.credits import service as credits
from app.shops import service
from app.shops.models import Shop

public = ApiBlueprint("sign-in", __name__, public=True, description="Getting a token")
blueprint = ApiBlueprint("auth", __name__, description="The signed-in shop")
EXPIRES_IN = "30d"


@public.get("/auth/shopify")
@public.arguments(ShopIn, location="query")
@public.response(302, description="To Shopify, where the merchant allows the app.")
@public.errors(400)
def begin_installation(query: dict[str, Any]) -> Response:
    """Begin to sign in, or to install the app, at Shopify."""
    departure = signing_in.depart(query["shop"], redirects.browser_of(request))
    return redirects.to_shopify(departure)


@public.get("/auth/callback")
@public.arguments(CallbackIn, location="query")
@public.response(302, description="To the web client, with a token or an error.")
@public.errors(400, 401)
def finish_installation(_query: dict[str, Any]) -> Response:
    """Come back from Shopify: install, and go to the web client signed in."""
    return redirects.to_client(request.args.to_dict(flat=False), redirects.browser_of(request))


@public.post("/auth/shopify-token")
@public.arguments(SessionTokenIn)
@public.data(200, SignedInSchema, mirror=True)
@public.errors(401, 503)
def exchange_session_token(body: dict[str, Any]) -> dict[str, Any]:
    """Exchange a Shopify session token for an app token; the first one of a shop installs the app."""
    session_token = body["session_token"]
    shop = installing.sign_in(tokens.verify_session_token(session_token), session_token)
    wake("reports.warm", shop.id)  # the client asks for them next
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
