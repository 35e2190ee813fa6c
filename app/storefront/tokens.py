"""Confirmation tokens: 24 characters that name one confirmation, signed with UNSUBSCRIBE_SECRET.

    [confirmation id: 8 characters][MAC: 16 characters, 96 bits]

Short, because they stand in a text that is paid for. When they expire is written on the row.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

ID_BYTES = 6
MAC_BYTES = 12
ID_LENGTH = 8
TOKEN_LENGTH = 24
PURPOSE = b"opt-in confirmation "  # the secret signs other things too


def make_token(confirmation_id: int, secret: str) -> str:
    """The token of a confirmation."""
    subject = confirmation_id.to_bytes(ID_BYTES, "big")
    return urlsafe_b64encode(subject + _mac(subject, secret)).decode()


def read_token(token: str, secret: str) -> int | None:
    """The id that a token names, or None when it was not made here. Compares in constant time."""
    if len(token) != TOKEN_LENGTH or not token.isascii():
        return None
    try:
        signed = urlsafe_b64decode(token)
    except ValueError:
        return None
    subject = signed[:ID_BYTES]
    expected = urlsafe_b64encode(subject + _mac(subject, secret))
    # The encoded form, so that one confirmation has one spelling.
    if not hmac.compare_digest(expected, token.encode()):
        return None
    return int.from_bytes(subject, "big")


def make_reference(shop_id: int, phone: str, secret: str) -> str:
    """What a form is told instead of a contact's id: the same for every number, known or not."""
    return hmac.digest(secret.encode(), f"opt-in reference {shop_id} {phone}".encode(), "sha256").hex()[:24]


def _mac(subject: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), PURPOSE + subject, "sha256")[:MAC_BYTES]
