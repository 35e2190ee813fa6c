"""Stripe's side of the demo: what its Checkout page does when somebody presses Pay."""

from __future__ import annotations

from typing import Any

import requests

from app.demo.errors import DemoStopped

TIMEOUT_SECONDS = 30
CARD = "4242424242424242"


class Payments:
    """The pretend Stripe, by the buttons of its pages."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def pay(self, checkout_url: str) -> dict[str, Any]:
        """Pay what a Checkout page asks for; the session as it is then."""
        wish = {
            "session": checkout_url,
            "card": CARD,
            "email": "owner@thyme-and-salt.example",
            "address": {"country": "GR"},
        }
        answer = self._session.post(f"{self._url}/sandbox/stripe/do/pay", json=wish, timeout=TIMEOUT_SECONDS)
        if not answer.ok:
            raise DemoStopped(f"Stripe took no payment: {answer.status_code} {answer.text[:200]}")
        return dict(answer.json())
