"""The success envelope. Both clients unwrap `data` when `success` is true."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import g

from app.core.clock import now
from app.core.http.schema import Instant, Schema, instant

_made: dict[tuple[str, bool, bool], type[Schema]] = {}


class _Mirror:
    """Repeats the keys of `data` at top level, for the client that reads raw bodies."""

    @ma.post_dump
    def mirror(self, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**(body.get("data") or {}), **body}


def envelope_schema(
    schema: type[ma.Schema] | None, *, many: bool = False, mirror: bool = False
) -> type[Schema]:
    """The schema of `{"success": true, "data": <schema>, …}`; one class per inner schema, so OpenAPI names
    it once. Many without a schema are texts.
    """
    bare = "Text" if many else "Empty"
    name = f"{schema.__name__.removesuffix('Schema') if schema else bare}{'List' if many else ''}Envelope"
    key = (f"{schema.__module__ if schema else ''}.{name}", many, mirror)
    if key not in _made:
        inner: Any = ma.fields.List(ma.fields.String()) if many else ma.fields.Raw(allow_none=True)
        if schema:
            inner = ma.fields.Nested(schema, many=many)
        members = {
            "success": ma.fields.Boolean(required=True, metadata={"example": True}),
            "data": inner,
            "message": ma.fields.String(metadata={"example": "Done."}),
            "ok": ma.fields.Boolean(),
            "requestId": ma.fields.String(),
            "apiVersion": ma.fields.String(metadata={"example": "v1"}),
            "timestamp": Instant(),
        }
        bases = (_Mirror, Schema) if mirror else (Schema,)
        _made[key] = type(name, bases, members)
    return _made[key]


def envelope(data: Any, message: str | None = None) -> dict[str, Any]:
    """The envelope around `data`, before serialisation."""
    body = {
        "success": True,
        "data": data,
        "requestId": g.get("request_id"),
        "apiVersion": "v1",
        "timestamp": now(),
    }
    if message:
        body["message"] = message
    return body


def error_body(
    code: str, message: str, *, details: list[Any], meta: dict[str, Any], path: str, method: str
) -> Any:
    """The error envelope: `error` and `code` are the same word because each client reads another one."""
    body: dict[str, Any] = {
        "success": False,
        "error": code,
        "code": code,
        "message": message,
        "requestId": g.get("request_id"),
        "timestamp": instant(now()),
        "path": path,
        "method": method,
    }
    if details:
        body["details"] = details
    if meta:
        body["meta"] = meta
        body.update({key: meta[key] for key in ("reason", "retryAfter") if key in meta})
    return body
