"""Which web pages may call us. A page that may not gets an answer without CORS headers, never an error."""

from __future__ import annotations

import re

from flask import Flask, Response, request
from flask_cors import CORS

from app.config import Settings

STOREFRONTS = re.compile(r"https://[a-z0-9][a-z0-9-]{0,60}\.myshopify\.com$")
ADMIN = "https://admin.shopify.com"
REQUEST_HEADERS = [
    "Content-Type",
    "Authorization",
    "Idempotency-Key",
    "X-Idempotency-Key",
    "X-Shopify-Shop-Domain",
    "X-Shopify-Shop",
    "X-Request-ID",
    "API-Version",
    "X-Client-Version",
    "X-Client-Platform",
    "X-Requested-With",
    "Accept",
    "Origin",
]
EXPOSED = ["X-Request-ID", "X-RateLimit-Remaining", "X-RateLimit-Reset"]


def register_cors(app: Flask, settings: Settings) -> None:
    """Allow the configured front ends, the Shopify admin and shops' storefronts.

    No cookies: auth is a Bearer token.
    """
    named = (settings.frontend_url, settings.embedded_origin)
    frontends = [*settings.cors_allowlist, *filter(None, named)]
    CORS(
        app,
        origins=[*frontends, ADMIN, STOREFRONTS],
        methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        allow_headers=REQUEST_HEADERS,
        expose_headers=EXPOSED,
        max_age=86_400,
        supports_credentials=False,
        always_send=False,
    )
    app.after_request(_answer_preflight_without_a_body)


def _answer_preflight_without_a_body(response: Response) -> Response:
    if request.method == "OPTIONS" and response.status_code == 200:
        response.status_code = 204
        del response.headers["Content-Type"], response.headers["Content-Length"]
    return response
