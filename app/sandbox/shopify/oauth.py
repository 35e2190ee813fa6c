"""The doors of signing in: the page where a merchant agrees, the token endpoint, and App Bridge's tokens."""

from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, abort, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from app.sandbox.shopify import shops, signing, tokens
from app.sandbox.shopify.faults import TOKENS, Trouble
from app.sandbox.shopify.shops import NoSuchShop, Shop
from app.sandbox.shopify.state import Shopify, shopify

oauth = Blueprint("shopify-oauth", __name__, url_prefix="/shopify")


@oauth.get("/<shop>/admin/oauth/authorize")
def authorize(shop: str) -> AnyResponse:
    """The merchant agrees at once, or not at all with ?deny=1: back to the app either way."""
    world = shopify()
    found = _shop(world, shop)
    asked = request.args
    if asked.get("client_id") != world.app.api_key:
        abort(400, "Oauth error invalid_request: Could not find Shopify API application with this api_key.")
    target = asked.get("redirect_uri", "")
    if not _is_registered(world, target):
        abort(400, "Oauth error invalid_request: The redirect_uri is not whitelisted.")
    if "deny" in asked:
        return redirect(
            f"{target}?{urlencode(_signed(world, found, asked.get('state', ''), error='access_denied'))}"
        )
    is_online = asked.get("grant_options[]", "") == "per-user"
    code = tokens.new_code(world, found, asked.get("scope") or world.app.scopes, is_online=is_online)
    return redirect(f"{target}?{urlencode(_signed(world, found, asked.get('state', ''), code=code))}")


@oauth.post("/<shop>/admin/oauth/access_token")
def access_token(shop: str) -> tuple[Response, int]:
    """All four grants. JSON or a form."""
    world = shopify()
    body = request.get_json(silent=True)
    wish: dict[str, object] = body if isinstance(body, dict) else dict(request.form)
    struck = world.faults.take(TOKENS, shop, "")
    if Trouble.TOKEN_500 in struck:
        return _noted(world, shop, wish, 500, {"error": "internal_server_error"})
    try:
        answer: dict[str, object] = tokens.grant(world, _shop(world, shop), wish)
        status = 200
    except tokens.TokenRefused as refusal:
        answer = {"error": refusal.error, "error_description": refusal.description}
        status = refusal.status
    if Trouble.TOKEN_DROP in struck:
        return _noted(world, shop, wish, 502, {"error": "bad_gateway"})
    return _noted(world, shop, wish, status, answer)


@oauth.route("/<shop>/session-token", methods=["GET", "POST"])
def session_token(shop: str) -> Response:
    """A merchant opens the app in the admin: installed if it was not yet, and a token for one minute.

    A POST may carry {claims: {…}, secret: …} to make a token that is wrong in some way.
    """
    world = shopify()
    found = _shop(world, shop)
    wish = request.get_json(silent=True) or {}
    if not found.is_installed:
        shops.installed(world, shop, shops.granted(world.app.scopes.split(",")))
    secret = wish.get("secret") or world.app.signing_secret(
        world.clock.precisely(), world.switches.now.signing_lag_seconds
    )
    claims = wish.get("claims") or {}
    token = signing.session_token(shop, world.app.api_key, secret, world.clock.now(), claims)
    return jsonify(token=token, host=signing.host_parameter(shop), shop=shop)


def _noted(
    world: Shopify, shop: str, wish: dict[str, object], status: int, answer: dict[str, object]
) -> tuple[Response, int]:
    grant = wish.get("grant_type") or ("authorization_code" if wish.get("code") else "none")
    world.recorder.note(
        kind="token",
        shop=shop,
        operation=str(grant).rpartition(":")[2],
        status=status,
        error=answer.get("error"),
    )
    return jsonify(answer), status


def _shop(world: Shopify, domain: str) -> Shop:
    try:
        return shops.by_domain(world, domain)
    except NoSuchShop:
        abort(404, f"There is no shop {domain}.")


def _is_registered(world: Shopify, target: str) -> bool:
    parts = urlsplit(target)
    if world.app.app_url:
        return target.startswith(world.app.app_url + "/")
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _signed(world: Shopify, shop: Shop, state: str, **more: str) -> dict[str, str]:
    now = world.clock.now()
    parameters = {
        **more,
        "host": signing.host_parameter(shop.domain),
        "shop": shop.domain,
        "state": state,
        "timestamp": str(now),
    }
    secret = world.app.signing_secret(now, world.switches.now.signing_lag_seconds)
    return {**parameters, "hmac": signing.query_signature(parameters, secret)}
