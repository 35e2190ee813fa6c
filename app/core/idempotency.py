"""Idempotency keys in Postgres, in the same transaction as the effect they guard.

A second request with a key waits for the first one's transaction, then gets its stored answer; a first
request that failed has left nothing, so the second one runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model
from app.core.errors import Conflict, ValidationFailed
from app.core.uow import require_unit_of_work

KEY_MAX = 128


class IdempotencyKey(Model):
    """A key that a shop has used, and the answer it got."""

    __tablename__ = "idempotency_keys"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request_hash: Mapped[str] = mapped_column(Text)
    status_code: Mapped[int | None] = mapped_column(SmallInteger)
    response: Mapped[Any | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


CLAIM_KEY = text("""
    INSERT INTO idempotency_keys (shop_id, key, request_hash) VALUES (:shop_id, :key, :request_hash)
    ON CONFLICT (shop_id, key) DO NOTHING RETURNING 1""")
STORED_ANSWER = text(
    "SELECT request_hash, response FROM idempotency_keys WHERE shop_id = :shop_id AND key = :key"
)
STORE_ANSWER = text("""
    UPDATE idempotency_keys SET response = CAST(:response AS jsonb), status_code = 200
    WHERE shop_id = :shop_id AND key = :key""")
PURGE_KEYS = text("DELETE FROM idempotency_keys WHERE created_at < now() - interval '7 days'")


class IdempotencyInProgress(Conflict):
    code = "IDEMPOTENCY_IN_PROGRESS"
    message = "The first request with this Idempotency-Key is still running."


class IdempotencyKeyReused(Conflict):
    code = "IDEMPOTENCY_KEY_REUSED"
    message = "This Idempotency-Key was used for another request."


def read_key(header: str | None) -> str | None:
    """The key of a request, checked: at most 128 printable ASCII characters."""
    if not header:
        return None
    if len(header) > KEY_MAX or not header.isascii() or not header.isprintable():
        raise ValidationFailed("Idempotency-Key", "must be at most 128 printable characters")
    return header


def once(shop_id: int, key: str | None, request: Any, effect: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The answer of `effect`, which has it only at the first use of `key`; without a key, each time. A step.

    Raises what `stored_answer` raises.
    """
    if key is None:
        return effect()
    earlier = stored_answer(shop_id, key, request)
    if earlier is not None:
        return earlier
    answer = effect()
    store_answer(shop_id, key, answer)
    return answer


def stored_answer(shop_id: int, key: str, request: Any) -> dict[str, Any] | None:
    """The answer given to the first use of `key`, or None when this is the first. A step.

    Raises IdempotencyKeyReused when `request` differs from the first one's, IdempotencyInProgress when the
    first one does not end within the lock timeout.
    """
    session = require_unit_of_work()
    digest = hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()
    try:
        first = session.scalar(CLAIM_KEY, {"shop_id": shop_id, "key": key, "request_hash": digest})
    except OperationalError as still_running:
        raise IdempotencyInProgress from still_running
    if first:
        return None
    known = session.execute(STORED_ANSWER, {"shop_id": shop_id, "key": key}).one()
    if known.request_hash != digest:
        raise IdempotencyKeyReused
    answer: dict[str, Any] = known.response
    return answer


def store_answer(shop_id: int, key: str, answer: dict[str, Any]) -> None:
    """Keep the answer for repeats. A step: commits with the effect."""
    require_unit_of_work().execute(
        STORE_ANSWER, {"shop_id": shop_id, "key": key, "response": json.dumps(answer, default=str)}
    )


def purge_keys() -> None:
    """Forget keys older than a week. A step across shops."""
    require_unit_of_work().execute(PURGE_KEYS)
