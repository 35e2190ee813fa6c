"""Making keys, calling with them, and moving the time of a key."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core.uow import unit_of_work
from tests.build_campaigns import Merchant


def a_key(merchant: Merchant, *scopes: str, **body: Any) -> tuple[str, str]:
    """A new key's id and secret."""
    made = merchant.data(
        "POST", "/api-keys", {"name": "Till", "scopes": scopes or ("contacts:read",), **body}
    )
    return made["key"]["id"], made["secret"]


def call(
    client: FlaskClient, secret: str, method: str = "GET", path: str = "/contacts", **kw: Any
) -> TestResponse:
    return client.open(path, method=method, headers={"Authorization": f"Bearer {secret}"}, **kw)


def status(client: FlaskClient, secret: str, method: str = "GET", path: str = "/contacts") -> tuple[int, Any]:
    answer = call(client, secret, method, path)
    return answer.status_code, answer.json.get("code")


def move(merchant: Merchant, key_id: str, assignment: str) -> None:
    """Change a column of the key as time would, such as `expires_at = now() - interval '1 second'`."""
    with unit_of_work(merchant.shop.id) as session:
        moved = session.execute(sa.text(f"UPDATE api_keys SET {assignment} WHERE id = {key_id}"))
        assert moved.rowcount == 1


def stored(merchant: Merchant, key_id: str) -> Any:
    with unit_of_work(merchant.shop.id) as session:
        return session.execute(sa.text(f"SELECT * FROM api_keys WHERE id = {key_id}")).one()
