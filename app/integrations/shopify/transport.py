"""One POST of JSON to a shop: pooled connections, short waits, no redirects, no cookies."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as http

from app.integrations.shopify.errors import ShopifyUnavailable

CONNECT_SECONDS = 3.0
CONNECTIONS = 32
SHOPS = 64  # whose idle connections are kept

# Each is raised before the first byte of the request is written.
NEVER_WRITTEN = (http.NewConnectionError, http.ConnectTimeoutError, http.ProxyError)


@functools.cache
def session() -> requests.Session:
    """The process's own session, made at its first call and so after any fork."""
    made = requests.Session()
    made.headers.update({"Accept": "application/json"})
    # A jar would make calls of different threads and shops depend on each other.
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        made.mount(scheme, HTTPAdapter(pool_connections=SHOPS, pool_maxsize=CONNECTIONS))
    return made


def post(
    url: str, body: Mapping[str, Any], *, timeout_seconds: float, headers: Mapping[str, str] | None = None
) -> requests.Response:
    """The answer, whatever its status. Raises ShopifyUnavailable; never repeats the call.

    `timeout_seconds` is the longest silence.
    """
    try:
        return session().post(
            url,
            json=body,
            headers=headers,
            timeout=(min(CONNECT_SECONDS, timeout_seconds), timeout_seconds),
            allow_redirects=False,
        )
    # Not `Exception`: that would file RQ's JobTimeoutException under Shopify's faults.
    except (requests.RequestException, http.HTTPError) as trouble:
        raise ShopifyUnavailable(type(trouble).__name__, may_be_done=_was_written(trouble)) from trouble


def json_of(response: requests.Response) -> dict[str, Any]:
    """The JSON object in an answer. Raises ShopifyUnavailable for anything else."""
    try:
        found = response.json()
    except ValueError as broken:  # bad JSON, bad UTF-8
        raise ShopifyUnavailable("no_json", may_be_done=True) from broken
    if not isinstance(found, dict):
        raise ShopifyUnavailable("no_json", may_be_done=True)
    return found


def _was_written(trouble: Exception) -> bool:
    if isinstance(trouble, requests.ConnectTimeout):
        return False
    reason = trouble.args[0] if trouble.args else None
    if isinstance(reason, http.MaxRetryError):
        reason = reason.reason
    return not isinstance(reason, NEVER_WRITTEN)
