"""Opt-out tokens of the system before this one: texts that were sent with them must stay good for ever.

    base64url(JSON {contactId, shopId, phoneE164, timestamp}) "." hex(HMAC-SHA256)

signed with UNSUBSCRIBE_SECRET, or with JWT_SECRET where that was not set. They do not expire: all they can
do is opt somebody out. The MAC may be over the JSON or over its encoding; both prove the same secret.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

TOKEN = re.compile(r"([A-Za-z0-9_-]{1,1024})={0,2}\.([0-9a-f]{64})")
E164 = re.compile(r"\+[1-9][0-9]{1,14}")


@dataclass(frozen=True)
class LegacyToken:
    """Who wants to hear no more, and from whom; `shop` is the old system's id of the shop."""

    shop: str
    phone: str


def read_legacy_token(token: str, secrets: Iterable[str]) -> LegacyToken | None:
    """What an old token says, or None when it was not signed with one of `secrets`."""
    parts = TOKEN.fullmatch(token)
    if parts is None:
        return None
    encoded, mac = parts.groups()
    try:
        signed = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except binascii.Error:
        return None
    if not _is_signed(encoded.encode(), signed, mac, secrets):
        return None
    return _read(signed)


def _is_signed(encoded: bytes, signed: bytes, mac: str, secrets: Iterable[str]) -> bool:
    """Compares every candidate, each in constant time, so that the duration tells nothing."""
    matches = [
        hmac.compare_digest(hmac.digest(secret.encode(), subject, "sha256").hex(), mac)
        for secret in secrets
        for subject in (encoded, signed)
    ]
    return any(matches)


def _read(signed: bytes) -> LegacyToken | None:
    try:
        claims = json.loads(signed)
    except (ValueError, RecursionError):
        return None
    if not isinstance(claims, dict):
        return None
    shop, phone = str(claims.get("shopId", "")), claims.get("phoneE164")
    if not isinstance(phone, str) or not E164.fullmatch(phone):
        return None
    return LegacyToken(shop=shop, phone=phone)
