"""API keys: make, show, rotate, revoke, and open a shop with one.

A secret is 256 random bits, so nobody can guess it from its SHA-256 however fast they try: a slow hash would
protect nothing and cost every request. Only the hash is kept; the secret is shown once.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, text, update

from app.access.errors import ApiKeyNotFound, TooManyApiKeys
from app.access.models import ApiKey
from app.core.activity import record
from app.core.clock import now
from app.core.errors import InvalidToken, ValidationFailed
from app.core.http.schema import MAX_ID
from app.core.uow import across_shops, unit_of_work

PREFIX = "ak_"
TOKEN = re.compile(r"ak_([0-9]{1,19})_([A-Za-z0-9_-]{43})")
SECRET_BYTES = 32
HINT_LENGTH = 4
KEYS_MAX = 50
OLD_SECRET_LIVES = timedelta(hours=24)

# Once a minute is enough to see whether a key is in use, and spares a busy key a write per request.
TOUCH = text("""
    UPDATE api_keys SET last_used_at = now()
    WHERE id = :id AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')""")
TAKE_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('api keys ' || :shop_id, 0))")


@dataclass(frozen=True)
class OpenedKey:
    """What a verified API key says."""

    shop_id: int
    key_id: int
    scopes: frozenset[str]


@dataclass(frozen=True)
class IssuedKey:
    """A key with its secret, which can be read this once."""

    key: ApiKey
    secret: str


def is_api_key(token: str) -> bool:
    """Whether a Bearer token claims to be an API key."""
    return token.startswith(PREFIX)


def open_with(token: str) -> OpenedKey:
    """The shop and the scopes that an API key opens; notes that it was used. Raises InvalidToken."""
    read = TOKEN.fullmatch(token)
    if read is None or int(read[1]) > MAX_ID:
        raise InvalidToken
    with across_shops("a key is known by its id before its shop is") as session:
        key = session.get(ApiKey, int(read[1]))
        if key is None or not _opens(key, _digest(read[2])):
            raise InvalidToken
        session.execute(TOUCH, {"id": key.id})
    return OpenedKey(key.shop_id, key.id, frozenset(key.scopes))


def create_key(
    shop_id: int, *, name: str, scopes: Sequence[str], expires_at: datetime | None = None
) -> IssuedKey:
    """Make a key with these scopes. Raises ValidationFailed, TooManyApiKeys."""
    if expires_at is not None and expires_at <= now():
        raise ValidationFailed("expiresAt", "must be in the future")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    key = ApiKey(shop_id=shop_id, name=name, scopes=sorted(set(scopes)), expires_at=expires_at)
    key.secret_sha256, key.hint = _digest(secret), secret[:HINT_LENGTH]
    with unit_of_work(shop_id) as session:
        session.execute(TAKE_TURN, {"shop_id": str(shop_id)})  # or two at once would both be the last one
        counted = select(func.count()).where(*_in_use(shop_id))
        if (session.scalar(counted) or 0) >= KEYS_MAX:
            raise TooManyApiKeys
        session.add(key)
        session.flush()  # the secret is shown with the id
        session.refresh(key)
        record(shop_id, "api_key.created", "api_key", key.id, scopes=key.scopes)
    return IssuedKey(key, _token(key, secret))


def list_keys(shop_id: int) -> Sequence[ApiKey]:
    """The shop's keys that were not revoked, newest first."""
    with unit_of_work(shop_id) as session:
        return session.scalars(select(ApiKey).where(*_in_use(shop_id)).order_by(ApiKey.id.desc())).all()


def rotate_key(shop_id: int, key_id: int) -> IssuedKey:
    """Give a key a new secret; the present one opens for 24 hours more, an older one no longer.

    Raises ApiKeyNotFound, also for a key that was revoked.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    renewed = {
        "previous_sha256": ApiKey.secret_sha256,
        "previous_until": now() + OLD_SECRET_LIVES,
        "secret_sha256": _digest(secret),
        "hint": secret[:HINT_LENGTH],
    }
    with unit_of_work(shop_id) as session:
        key = session.scalar(
            update(ApiKey).where(*_in_use(shop_id), ApiKey.id == key_id).values(renewed).returning(ApiKey)
        )
        if key is None:
            raise ApiKeyNotFound
        record(shop_id, "api_key.rotated", "api_key", key_id)
    return IssuedKey(key, _token(key, secret))


def revoke_key(shop_id: int, key_id: int) -> None:
    """Close a key at once, the previous secret of a rotated one too. Raises ApiKeyNotFound."""
    with unit_of_work(shop_id) as session:
        revoked = session.scalar(
            update(ApiKey)
            .where(*_in_use(shop_id), ApiKey.id == key_id)
            .values(revoked_at=now())
            .returning(ApiKey.id)
        )
        if revoked is None:
            raise ApiKeyNotFound
        record(shop_id, "api_key.revoked", "api_key", key_id)


def _opens(key: ApiKey, digest: bytes) -> bool:
    """Whether the secret with this digest opens the key now. Compares in constant time."""
    is_current = hmac.compare_digest(key.secret_sha256, digest)
    is_previous = hmac.compare_digest(key.previous_sha256 or b"", digest)
    is_closed = key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now())
    still_previous = is_previous and key.previous_until is not None and key.previous_until > now()
    return not is_closed and (is_current or still_previous)


def _in_use(shop_id: int) -> tuple[ColumnElement[bool], ...]:
    return ApiKey.shop_id == shop_id, ApiKey.revoked_at.is_(None)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _token(key: ApiKey, secret: str) -> str:
    return f"{PREFIX}{key.id}_{secret}"
