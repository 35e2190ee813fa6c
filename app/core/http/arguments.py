"""Reading bodies and queries: forgiving where both clients need it, exact about what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request
from webargs.flaskparser import FlaskParser
from webargs.multidictproxy import MultiDictProxy

from app.core.errors import DomainError, ValidationFailed

JSON_BODY_MAX = 5 * 1024 * 1024


class InvalidJson(DomainError):
    code = "INVALID_JSON"
    message = "The body is not valid JSON."


class InvalidContentType(DomainError):
    code = "INVALID_CONTENT_TYPE"
    message = "The body must be JSON (Content-Type: application/json)."


class BodyTooLarge(DomainError):
    status = 413
    code = "REQUEST_TOO_LARGE"
    message = "The body is larger than 5 MB."


class SchemaViolated(DomainError):
    """marshmallow's errors, flattened to one line per field."""

    code = "VALIDATION_ERROR"
    message = "Some fields are not valid."

    def __init__(self, messages: Mapping[str, Any]) -> None:
        super().__init__()
        self.details = [{"field": field, "message": text} for field, text in _flatten(messages)]
        if self.details:
            self.message = f"{self.details[0]['field']}: {self.details[0]['message']}"


class StrictParser(FlaskParser):
    """Empty bodies count as {}; what Postgres cannot store (NUL, lone surrogates) is refused by name."""

    DEFAULT_VALIDATION_STATUS = 400

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        # What was there before its body meant anything takes any body that does not say it is JSON.
        return read_json(req) if req.is_json or not getattr(schema, "any_body", False) else _read_any(req)

    def load_querystring(self, req: Request, schema: ma.Schema) -> Any:
        refuse_unstorable(req.args.to_dict(flat=False))
        filled = req.args.copy()
        for key in [key for key, value in req.args.items() if value == ""]:
            del filled[key]  # clients write ?search=& for "no search"
        return MultiDictProxy(filled, schema)

    def handle_error(self, error: ma.ValidationError, *args: Any, **kwargs: Any) -> NoReturn:
        raise SchemaViolated(error.messages_dict) from error


def read_json(req: Request) -> Any:
    """The request's JSON object ({} when there is no body). Raises a DomainError that says what is wrong."""
    raw = _read_raw(req)
    if not raw.strip():
        return {}
    if not req.is_json:
        raise InvalidContentType
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as broken:
        raise InvalidJson from broken
    if not isinstance(body, dict):
        raise InvalidJson("The body must be a JSON object.")
    refuse_unstorable(body)
    return body


def _read_raw(req: Request) -> bytes:
    if (req.content_length or 0) > JSON_BODY_MAX:
        raise BodyTooLarge
    req.max_content_length = JSON_BODY_MAX + 1  # a chunked body tells no length and is cut off there
    raw = req.get_data(cache=True)
    if len(raw) > JSON_BODY_MAX:
        raise BodyTooLarge
    return raw


def _read_any(req: Request) -> Any:
    try:
        body = json.loads(_read_raw(req))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(body, dict):
        return {}
    refuse_unstorable(body)
    return body


def refuse_unstorable(body: Any) -> None:
    """Raise ValidationFailed naming the first field that no database text can hold."""
    for path, value in _strings(body, ""):
        if "\x00" in value:
            raise ValidationFailed(path, "must not contain NUL characters")
        try:
            value.encode()
        except UnicodeEncodeError as broken:
            raise ValidationFailed(path, "is not valid Unicode text") from broken


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    stack = [(path, value)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, str):
            yield path or "body", value
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                yield path or "body", str(key)  # a key is named by what holds it
                stack.append((f"{path}.{key}" if path else str(key), inner))
        elif isinstance(value, list):
            stack.extend((f"{path}[{index}]", inner) for index, inner in enumerate(value))


def _flatten(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            location = not path and key in {"json", "query", "form", "files", "headers"}
            name = "" if location else (str(key) if not path else f"{path}.{key}")
            yield from _flatten(inner, name)
    else:
        for message in messages:
            yield path.removesuffix("_schema").removesuffix(".") or "body", str(message)
