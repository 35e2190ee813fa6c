"""What happens around every request: ids, versions, one log line, headers."""

from __future__ import annotations

import re
import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from werkzeug.routing import BaseConverter, ValidationError

from app.core.database import db
from app.core.errors import DomainError, NotFound
from app.core.http.schema import MAX_ID

log = structlog.get_logger(__name__)
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
API_VERSION = re.compile(r"v\d+")
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}
# The documentation page loads its own local scripts and styles.
DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:"
)
QUIET_ROUTES = {"health.liveness", "health.healthz", "mitto-webhooks.delivery_reports"}


class UnsupportedVersion(DomainError):
    code = "unsupported_version"
    message = "Only API version v1 is served."


class InvalidVersion(DomainError):
    code = "invalid_version"
    message = "API-Version must look like v1."


class IdConverter(BaseConverter):
    """Our ids in a path: decimal digits. Anything else is simply not found."""

    regex = r"[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        if int(value) > MAX_ID:
            raise ValidationError
        return int(value)


def register_lifecycle(app: Flask) -> None:
    """Hook the request's begin and end."""
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_appcontext(lambda _: None if app.testing else db.session.remove())


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if "\x00" in request.path:  # no object has such a name, and no database text can hold it
        raise NotFound
    version = request.headers.get("API-Version")
    if version and not API_VERSION.fullmatch(version):
        raise InvalidVersion
    if version and version != "v1":
        raise UnsupportedVersion


def _finish(response: Response) -> Response:
    response.headers.setdefault("X-Request-ID", g.get("request_id", ""))
    response.headers.setdefault("API-Version", "v1")
    if request.blueprint == "api-docs":
        response.headers["Content-Security-Policy"] = DOCS_POLICY
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint not in QUIET_ROUTES or response.status_code >= 400:
        # The rule, never the path: paths carry link tokens.
        log.info(
            "request",
            method=request.method,
            route=str(request.url_rule),
            status=response.status_code,
            shop_id=g.get("shop_id"),
            milliseconds=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
        )
    return response
