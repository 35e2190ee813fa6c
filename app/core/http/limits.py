"""How often one caller may ask. Every operation counts in exactly one bucket, so polling one page never
uses up another.

Buckets are in Redis, shared by all processes. While Redis is away each process counts for itself, and opting
out is not limited at all.
"""

from __future__ import annotations

import math
import time
from ipaddress import ip_address, ip_network

from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_limiter import ApplicationLimit, HeaderNames, Limiter, RateLimitExceeded
from limits.storage import MemoryStorage
from redis import RedisError

from app.config import Settings
from app.core.errors import DomainError

# Per shop where a shop has signed in, else per address.
RATES = {
    "general": "1000 per 15 minutes",
    "contacts": "180 per minute",
    "import": "3 per 5 minutes",
    "campaign-reads": "240 per minute",
    "campaign-writes": "40 per minute",
    "send": "5 per minute",
    "billing-reads": "120 per minute",
    "billing-writes": "20 per minute",
    "reports": "120 per minute",
    "export": "10 per minute",
    "sign-in": "30 per minute",
    "links": "100 per minute",
    "opt-in": "10 per minute",
    "opt-in-page": "30 per minute",
    "opt-out": "30 per minute",
    "enquiry": "5 per 15 minutes",
}
# Blueprint: bucket of its reads, bucket of its writes. What is not named here is "general".
BY_BLUEPRINT = {
    "contacts": ("contacts", "contacts"),
    "contact-imports": ("contacts", "import"),
    "campaigns": ("campaign-reads", "campaign-writes"),
    "automations": ("campaign-reads", "campaign-writes"),
    "billing": ("billing-reads", "billing-writes"),
    "billing-profile": ("billing-reads", "billing-writes"),
    "statements": ("billing-reads", "billing-writes"),
    "purchases": ("billing-reads", "billing-writes"),
    "ledger": ("billing-reads", "billing-writes"),
    "subscriptions": ("billing-reads", "billing-writes"),
    "dashboard": ("reports", "reports"),
    "reports": ("reports", "reports"),
    "sign-in": ("sign-in", "sign-in"),
    "links": ("links", "links"),
    "opt-in-page": ("opt-in-page", "opt-in-page"),
    "opt-out-page": ("opt-out", "opt-out"),
    "unsubscribe": ("opt-out", "opt-out"),
}
BY_ENDPOINT = {
    "campaigns.enqueue": "send",
    "campaigns.send": "send",
    "reports.export": "export",
    "activity.export_activity": "export",
    "ledger.export_ledger": "export",
    "statements.statement_as_csv": "export",
    "statements.statement_as_pdf": "export",
    "storefront.opt_in": "opt-in",
    "storefront.leave_enquiry": "enquiry",
}
UNLIMITED = {"health", "api-docs", "swagger"}
PROVIDERS = "-webhooks"  # signed posts come in bursts that the provider decides
NEVER_REFUSED_WITHOUT_REDIS = "opt-out"
# Flask-Limiter writes Retry-After on every answer; under this name it is taken off again.
UNWANTED = "X-RateLimit-Retry-After"


class RateLimitReached(DomainError):
    status = 429
    code = "RATE_LIMIT_EXCEEDED"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            f"Too many requests. Please try again in {retry_after_seconds} seconds.",
            meta={"retryAfter": retry_after_seconds},
        )


def register_limits(app: Flask, settings: Settings) -> None:
    """Count requests after authentication, so that only the shop itself uses up its limits."""
    app.after_request(_without_retry_after)  # runs after the limiter's own, which is registered later
    app.config["RATELIMIT_ENABLED"] = settings.rate_limits_enabled
    # Flask-Limiter's name for a socket is another one than redis-py's.
    app.config["RATELIMIT_STORAGE_URI"] = settings.redis_url.replace("unix://", "redis+unix://", 1)
    limiter = Limiter(
        caller,
        application_limits=[ApplicationLimit(_rate, scope=_scope, exempt_when=lambda: _is_let_off(limiter))],
        strategy="sliding-window-counter",
        storage_options={"socket_connect_timeout": 1, "socket_timeout": 1},
        in_memory_fallback_enabled=True,
        headers_enabled=True,
        header_name_mapping={HeaderNames.RETRY_AFTER: UNWANTED},
        key_prefix="astronote",
    )
    limiter.init_app(app)
    app.register_error_handler(RateLimitExceeded, lambda _: _refuse(limiter))


def bucket() -> str | None:
    """The bucket that this request counts in, None for what is never limited."""
    blueprint = request.blueprint or ""
    if request.method == "OPTIONS" or blueprint in UNLIMITED or blueprint.endswith(PROVIDERS):
        return None
    own = BY_ENDPOINT.get(request.endpoint or "")
    reads, writes = BY_BLUEPRINT.get(blueprint, ("general", "general"))
    return own or (reads if request.method in {"GET", "HEAD"} else writes)


def caller() -> str:
    """Whose requests count together: never empty, because Flask-Limiter lets an empty key pass."""
    shop_id = g.get("shop_id")
    return f"shop:{shop_id}" if shop_id else f"ip:{_network(request.remote_addr or '')}"


def _network(address: str) -> str:
    """The address; of IPv6 the /64, since one visitor owns all of it."""
    try:
        known = ip_address(address)
    except ValueError:
        return "unknown"
    return str(known) if known.version == 4 else str(ip_network((known, 64), strict=False))


def _rate() -> str:
    return RATES.get(bucket() or "", "")


def _scope(_endpoint: str) -> str:
    return bucket() or "unlimited"


def _is_let_off(limiter: Limiter) -> bool:
    return bucket() == NEVER_REFUSED_WITHOUT_REDIS and isinstance(limiter.limiter.storage, MemoryStorage)


def _refuse(limiter: Limiter) -> ResponseReturnValue:
    seconds = _seconds_to_wait(limiter)
    answer = current_app.make_response(current_app.handle_user_exception(RateLimitReached(seconds)))
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _seconds_to_wait(limiter: Limiter) -> int:
    reached = limiter.current_limit
    if reached is None:
        return 60
    try:
        return max(1, math.ceil(reached.reset_at - time.time()))
    except RedisError:  # gone since it refused
        return int(reached.limit.get_expiry())


def _without_retry_after(response: Response) -> Response:
    response.headers.pop(UNWANTED, None)
    return response
