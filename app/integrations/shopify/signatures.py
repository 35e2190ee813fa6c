"""Is it really Shopify? Webhooks, redirects and proxied requests are each signed with the client secret.

Every check takes all live secrets: while one replaces the other, Shopify signs with the old one for up to an
hour. Every comparison is in constant time, and with every candidate, so the duration tells nothing.
Facts: shopify.dev "Verify webhooks", "Authorization code grant", "Authenticate app proxies".
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping, Sequence

NOT_SIGNED = ("hmac", "signature")
Query = Mapping[
    str, Sequence[str]
]  # every value of every parameter, as in `request.args.to_dict(flat=False)`


def secrets_of(*settings: str | None) -> tuple[str, ...]:
    """The live secrets of some settings, each a list with commas between, newest first."""
    return tuple(
        secret for setting in settings for part in (setting or "").split(",") if (secret := part.strip())
    )


def webhook_signature(body: bytes, secret: str) -> str:
    """What `X-Shopify-Hmac-Sha256` says about a raw body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def is_signed_webhook(body: bytes, signature: str | None, secrets: Sequence[str]) -> bool:
    """Whether the raw body was signed with a live secret."""
    return _any_equal(signature, [webhook_signature(body, secret) for secret in secrets])


def query_signature(query: Query, secret: str) -> str:
    """What `hmac` says about the other parameters of a redirect of Shopify's (install, callback)."""
    signed = sorted((key, _one(key, values)) for key, values in query.items() if key not in NOT_SIGNED)
    pairs = (f"{_escaped(_name(key)).replace('=', '%3D')}={_escaped(value)}" for key, value in signed)
    return _hex("&".join(pairs), secret)


def is_signed_query(query: Query, secrets: Sequence[str]) -> bool:
    """Whether a redirect was signed with a live secret. Its timestamp is the caller's to judge."""
    return _any_equal(_only(query, "hmac"), [query_signature(query, secret) for secret in secrets])


def proxy_signature(query: Query, secret: str) -> str:
    """What `signature` says about the other parameters of a request that came through the shop's domain."""
    signed = sorted((key, ",".join(values)) for key, values in query.items() if key != "signature")
    return _hex("".join(f"{key}={value}" for key, value in signed), secret)


def is_signed_proxy_request(query: Query, secrets: Sequence[str]) -> bool:
    """Whether a proxied request's parameters were signed with a live secret."""
    return _any_equal(_only(query, "signature"), [proxy_signature(query, secret) for secret in secrets])


def is_shared_secret(given: str | None, secrets: Sequence[str]) -> bool:
    """Whether a bare secret, for senders that sign nothing (Shopify Flow), is a live one."""
    return _any_equal(given, secrets)


def _one(key: str, values: Sequence[str]) -> str:
    # `ids[]=1&ids[]=2` is signed as ids=["1", "2"]
    return json.dumps(list(values), ensure_ascii=False) if key.endswith("[]") else values[-1]


def _name(key: str) -> str:
    return key.removesuffix("[]")


def _escaped(part: str) -> str:
    return part.replace("%", "%25").replace("&", "%26")


def _only(query: Query, name: str) -> str | None:
    """The parameter's value; None when it is absent or given twice."""
    values = query.get(name, ())
    return values[0] if len(values) == 1 else None


def _hex(message: str, secret: str) -> str:
    return hmac.digest(secret.encode(), message.encode("utf-8", "surrogatepass"), "sha256").hex()


def _any_equal(given: str | None, candidates: Sequence[str]) -> bool:
    if not given:
        return False
    offered = given.encode("utf-8", "surrogatepass")
    return sum(hmac.compare_digest(offered, candidate.encode()) for candidate in candidates) > 0
