"""Shopify session tokens as App Bridge makes them."""

from __future__ import annotations

import time
from typing import Any

import jwt

from app.config import Settings


def session_claims(settings: Settings, domain: str, **changes: Any) -> dict[str, Any]:
    """The claims of a good token of this moment; a change to None leaves the claim out."""
    moment = int(time.time())
    claims = {
        "iss": f"https://{domain}/admin",
        "dest": f"https://{domain}",
        "aud": settings.shopify_api_key,
        "sub": "42",
        "exp": moment + 60,
        "nbf": moment,
        "iat": moment,
        "jti": "f8912129-1af6-4cad-9ca3-76b0f7621087",
        "sid": "aaea182f2732d44c23057c0fea584021a4485b2bd25d3eb7fd349313ad24c685",
        "sig": "x",
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def session_token(settings: Settings, domain: str, **changes: Any) -> str:
    return jwt.encode(session_claims(settings, domain, **changes), settings.shopify_api_secret)
