"""Which of the two web clients asks."""

from __future__ import annotations

from flask import has_request_context, request

from app.core.settings import settings


def is_embedded_client() -> bool:
    """Whether the page that asks was loaded from EMBEDDED_ORIGIN. A job has no page."""
    origin = settings().embedded_origin
    return origin is not None and has_request_context() and request.headers.get("Origin") == origin
