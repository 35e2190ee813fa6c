"""What Shopify signs with the app's client secret (shopify.dev: webhooks, OAuth, session tokens)."""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from typing import Any

import jwt

SESSION_SECONDS = 60
USER_ID = "42"


def webhook_signature(body: bytes, secret: str) -> str:
    """`X-Shopify-Hmac-Sha256`: base64 over the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def query_signature(parameters: Mapping[str, str], secret: str) -> str:
    """`hmac` of a redirect: lower-case hex over the other parameters by name."""
    message = "&".join(f"{_escaped(name)}={_escaped(value)}" for name, value in sorted(parameters.items()))
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


def host_parameter(domain: str) -> str:
    """`host`: where the app is embedded, base64 without padding."""
    place = f"admin.shopify.com/store/{domain.partition('.')[0]}"
    return base64.b64encode(place.encode()).decode().rstrip("=")


def session_token(domain: str, api_key: str, secret: str, now: int, claims: Mapping[str, Any]) -> str:
    """What App Bridge gives a page of the app, good for one minute. `claims` replace true ones, for tests."""
    true_claims: dict[str, Any] = {
        "iss": f"https://{domain}/admin",
        "dest": f"https://{domain}",
        "aud": api_key,
        "sub": USER_ID,
        "exp": now + SESSION_SECONDS,
        "nbf": now,
        "iat": now,
        "jti": str(uuid.uuid4()),
        "sid": uuid.uuid4().hex * 2,
        "sig": uuid.uuid4().hex * 2,
    }
    return jwt.encode({**true_claims, **claims}, secret, algorithm="HS256")


def _escaped(part: str) -> str:
    return part.replace("%", "%25").replace("&", "%26")
