"""The key that exports are signed with."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.core.settings import settings

KEY_ID_LENGTH = 16


@dataclass(frozen=True)
class PublicKey:
    """What signatures are verified with: 32 bytes in url-safe base64, and a short name for them."""

    algorithm: str
    key_id: str
    public_key: str


def public_key() -> PublicKey:
    """The key that exports of today are signed with."""
    raw = _private_key().public_key().public_bytes_raw()
    key_id = hashlib.sha256(raw).hexdigest()[:KEY_ID_LENGTH]
    return PublicKey("Ed25519", key_id, urlsafe_b64encode(raw).decode())


def sign(content: bytes) -> str:
    """The Ed25519 signature (RFC 8032) of `content`, in url-safe base64."""
    return urlsafe_b64encode(_private_key().sign(content)).decode()


def _private_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(settings().ledger_key)
