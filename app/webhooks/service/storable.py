"""JSON as Postgres can keep it."""

from __future__ import annotations

import json

from app.webhooks.errors import UnstorablePayload

# \u0000 and lone halves of surrogate pairs are JSON, but no text that Postgres could keep.
UNSTORABLE = {0: "\ufffd", **dict.fromkeys(range(0xD800, 0xE000), "\ufffd")}


def storable(body: bytes, payload: object) -> str:
    """The JSON text of `payload`, read from `body`, for a jsonb column. Raises UnstorablePayload."""
    if b"\\u0000" in body or b"\\ud" in body.lower():
        payload = _mended(payload)
    try:
        return json.dumps(payload, allow_nan=False)
    except (ValueError, RecursionError) as wrong:
        raise UnstorablePayload from wrong


def _mended(value: object) -> object:
    if isinstance(value, str):
        return value.translate(UNSTORABLE)
    if isinstance(value, dict):
        return {key.translate(UNSTORABLE): _mended(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mended(inner) for inner in value]
    return value
