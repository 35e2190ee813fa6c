"""The one place where refusals and bugs become answers."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from app.core.errors import DomainError
from app.core.http.envelope import error_body

log = structlog.get_logger(__name__)
CODES = {
    400: "BAD_REQUEST",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "REQUEST_TOO_LARGE",
    415: "INVALID_CONTENT_TYPE",
    429: "RATE_LIMIT_EXCEEDED",
}


def register_error_handlers(app: Flask) -> None:
    """Refusals keep their status and code; anything unexpected is logged once and answered with 500."""
    app.register_error_handler(DomainError, _refusal)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _database_away)
    app.register_error_handler(Exception, _bug)


def _answer(status: int, code: str, message: str, details: Any = (), meta: Any = None) -> ResponseReturnValue:
    body = error_body(
        code, message, details=list(details), meta=meta or {}, path=request.path, method=request.method
    )
    return jsonify(body), status


def _refusal(refusal: DomainError) -> ResponseReturnValue:
    return _answer(refusal.status, refusal.code, refusal.message, refusal.details, refusal.meta)


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if 300 <= status < 400:
        return error
    return _answer(
        status, CODES.get(status, "ERROR"), error.description or "The request cannot be carried out."
    )


def _database_away(error: OperationalError) -> ResponseReturnValue:
    log.error("database_unavailable", exc_info=error)
    return _answer(503, "DATABASE_UNAVAILABLE", "The service is briefly unavailable. Please try again.")


def _bug(error: Exception) -> ResponseReturnValue:
    log.error("unexpected_exception", exc_info=error, route=str(request.url_rule), method=request.method)
    return _answer(500, "SERVER_ERROR", "Something went wrong on our side. Please try again.")
