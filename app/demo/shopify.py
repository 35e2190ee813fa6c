"""Shopify's side of the demo: the shop there, and what its customers do."""

from __future__ import annotations

from typing import Any

import requests

from app.demo.errors import DemoStopped

TIMEOUT_SECONDS = 30


class Storefront:
    """One shop at the pretend Shopify, by the buttons of its page."""

    def __init__(self, url: str, domain: str) -> None:
        self._url, self._domain = url, domain
        self._session = requests.Session()
        self._session.trust_env = False

    def open(self, name: str, customers: int) -> None:
        """Make the shop, with so many customers of long ago."""
        self._call(
            "POST", "/sandbox/shopify/shops", {"domain": self._domain, "name": name, "customers": customers}
        )

    def session_token(self) -> str:
        """What the merchant's browser gets when it opens the app inside Shopify."""
        return str(self._call("POST", f"/shopify/{self._domain}/session-token", {})["token"])

    def subscribed_topics(self) -> set[str]:
        """What the app asked to be told of."""
        shown = self._call("GET", f"/sandbox/shopify/shops/{self._domain}")
        return {str(one["topic"]).lower() for one in shown["subscriptions"]}

    def do(self, action: str, **wish: Any) -> Any:
        """Press a button."""
        return self._call("POST", f"/sandbox/shopify/shops/{self._domain}/do/{action}", wish)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._session.request(method, self._url + path, json=body, timeout=TIMEOUT_SECONDS)
        if not answer.ok:
            raise DemoStopped(
                f"Shopify answered {method} {path} with {answer.status_code}: {answer.text[:200]}"
            )
        return answer.json()
