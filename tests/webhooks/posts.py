"""What the carrier posts, and what stands in the inbox afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient

from app.core.database import db
from app.core.settings import settings
from tests.links.rows import rows

DLR = "/webhooks/mitto/dlr"
INBOUND = "/webhooks/mitto/inbound"


def post(client: FlaskClient, path: str, body: object, headers: dict[str, str] | None = None) -> Any:
    """Post `body` (bytes as they are, else as JSON) with the shared secret, or with `headers` instead."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    if headers is None:
        headers = {"X-Webhook-Token": settings().mitto_webhook_secret}
    return client.post(path, data=raw, headers=headers, content_type="application/json")


def a_report(message_id: str, status: str = "Delivered", **members: object) -> dict[str, object]:
    return {"messageId": message_id, "deliveryStatus": status, **members}


def inbox() -> list[dict[str, Any]]:
    return rows("SELECT * FROM webhook_inbox ORDER BY id")


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that runs meanwhile, without what opens and closes a unit of work."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "set_config" not in statement:
            seen.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
