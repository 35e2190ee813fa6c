"""What a merchant's client can do: the API over HTTP with the shop's token."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import requests

from app.demo.errors import DemoStopped

TIMEOUT_SECONDS = 30


class Merchant:
    """One signed-in shop. Every call returns the envelope's `data`; a refusal is raised as DemoStopped."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy would not find this machine's loopback
        self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: str | int) -> Any:
        return self._call("GET", path, params=query)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._call("POST", path, json=body or {})

    def put(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("PUT", path, json=body)

    def send(self, campaign_id: str) -> Any:
        """Start a campaign as the clients do: with a key, so that a second click sends nothing twice."""
        headers = {"Idempotency-Key": str(uuid4())}
        return self._call("POST", f"/campaigns/{campaign_id}/enqueue", json={}, headers=headers)

    def upload(self, path: str, filename: str, content: bytes) -> Any:
        return self._call("POST", path, files={"file": (filename, content, "text/csv")})

    def _call(self, method: str, path: str, **what: Any) -> Any:
        answer = self._session.request(method, self._url + path, timeout=TIMEOUT_SECONDS, **what)
        if not answer.ok:
            raise DemoStopped(f"{method} {path} was answered with {answer.status_code}: {answer.text[:300]}")
        return answer.json()["data"]
