"""What tests ask about single contacts."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests import build


def create(client: FlaskClient, shop: Any, **body: Any) -> TestResponse:
    return client.post("/contacts", json={"phoneE164": "+306912345678", **body}, headers=build.auth(shop))


def change(client: FlaskClient, shop: Any, contact_id: object, **body: Any) -> TestResponse:
    return client.put(f"/contacts/{contact_id}", json=body, headers=build.auth(shop))


def refused(response: TestResponse, field: str, status: int = 400, code: str = "VALIDATION_ERROR") -> bool:
    body = response.json or {}
    assert (response.status_code, body["code"]) == (status, code), body
    assert body["error"] == code
    assert [detail["field"] for detail in body["details"]] == [field]
    return True
