"""Public URLs: the same from a request and from a job.

Order: the shop's own base URL, the configured public URL, the request behind trusted proxies. A job has no
request, so production must configure the public URL (Settings refuses to boot without it).
"""

from __future__ import annotations

from flask import has_request_context, request

from app.core.settings import settings

LOCAL = "http://127.0.0.1:8080"


def public_base_url(shop_base_url: str | None = None) -> str:
    """Where the outside world reaches this API, without a trailing slash."""
    configured = shop_base_url or settings().public_base_url
    if configured:
        return configured.rstrip("/")
    if has_request_context() and request.scheme in {"http", "https"}:
        return request.host_url.rstrip("/")  # ProxyFix and werkzeug have judged the host
    return LOCAL


def link_base_url(shop_base_url: str | None = None) -> str:
    """Where the short links in texts begin; short, because every character is paid for."""
    return (shop_base_url or settings().shortlink_base_url or public_base_url()).rstrip("/")
