"""Is it really the carrier? It signs nothing, but sends along a secret header that we registered with it.

A relay of ours in between may sign instead: the hexadecimal HMAC-SHA256 of the raw body.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Protocol

TOKEN_HEADER = "X-Webhook-Token"  # noqa: S105
SIGNATURE_HEADERS = ("X-Mitto-Signature", "X-Webhook-Signature")


class Headers(Protocol):
    """Request headers, found in any case."""

    def get(self, name: str) -> str | None: ...


def secrets_of(setting: str) -> list[str]:
    """The live secrets: two, comma between, while one replaces the other."""
    return [secret for part in setting.split(",") if (secret := part.strip())]


def has_token(headers: Headers, secrets: Sequence[str]) -> bool:
    """Whether the shared secret came along."""
    return _any_equal(headers.get(TOKEN_HEADER), secrets)


def is_signed(headers: Headers, body: bytes, secrets: Sequence[str]) -> bool:
    """Whether the raw body was signed with a live secret."""
    signatures = [
        (headers.get(name) or "").strip().lower().removeprefix("sha256=")
        for name in SIGNATURE_HEADERS
        if headers.get(name)
    ]
    if not signatures:
        return False
    expected = [hmac.digest(secret.encode(), body, "sha256").hex() for secret in secrets]
    return any(_any_equal(signature, expected) for signature in signatures)


def _any_equal(given: str | None, candidates: Sequence[str]) -> bool:
    """Compares with every candidate, each in constant time: the duration tells nothing."""
    if not given:
        return False
    return sum(hmac.compare_digest(given.encode(), candidate.encode()) for candidate in candidates) > 0
