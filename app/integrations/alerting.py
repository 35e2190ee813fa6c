"""Posting to whoever wants to hear of trouble: a chat program's or a pager's incoming webhook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

SECONDS = 5.0


class NotPosted(Exception):
    """The receiver did not take it, or may not have."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def post_alert(address: str, body: Mapping[str, Any]) -> None:
    """Post `body` as JSON, without following redirects. Raises NotPosted; hearing twice does no harm."""
    try:
        answer = requests.post(address, json=body, timeout=SECONDS, allow_redirects=False)
    except requests.RequestException as failed:
        raise NotPosted(type(failed).__name__) from None
    if not answer.ok or answer.is_redirect:
        raise NotPosted(f"http_{answer.status_code}")
