"""The raw bodies of signed posts, and the JSON objects in them."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from flask import request

from app.core.http.arguments import JSON_BODY_MAX, InvalidJson


def raw_body() -> bytes:
    """The bytes as they came: what is signed. Larger ones than JSON_BODY_MAX are refused unread."""
    request.max_content_length = JSON_BODY_MAX
    return request.get_data()


def json_object(body: bytes) -> dict[str, Any]:
    """The body's JSON object. Raises InvalidJson."""
    try:
        payload = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as broken:
        raise InvalidJson from broken
    if not isinstance(payload, dict):
        raise InvalidJson("The body must be a JSON object.")
    return payload


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
