"""Tokens at rest: encrypted, and tied to their shop, so that a row that was copied to another shop opens
nothing.

Keys are TOKEN_ENCRYPTION_KEYS, newest first: the first one seals, every one opens.
"""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.core.settings import settings


class UnreadableToken(Exception):
    """No key of ours opens it, or it is another shop's."""


def seal(shop_id: int, token: str) -> bytes:
    """The token as it is stored."""
    return _box().encrypt(f"{shop_id}:{token}".encode())


def unseal(shop_id: int, sealed: bytes) -> str:
    """The token in what is stored. Raises UnreadableToken."""
    try:
        owner, _, token = _box().decrypt(sealed).decode().partition(":")
    except InvalidToken as unreadable:
        raise UnreadableToken from unreadable
    if owner != str(shop_id):
        raise UnreadableToken
    return token


def reseal(sealed: bytes) -> bytes:
    """The same token under the newest key. Raises UnreadableToken."""
    try:
        return _box().rotate(sealed)
    except InvalidToken as unreadable:
        raise UnreadableToken from unreadable


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings().encryption_keys])
