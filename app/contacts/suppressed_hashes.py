"""Opt-outs of people whose data was erased: only a keyed hash of the number is left of them.

When somebody brings the number back (an import, a form, Shopify), its opt-out comes back before anything else
is decided about it. So whatever asks the suppression list needs to know nothing of hashes. Everything here is
a step.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model
from app.core.settings import settings
from app.core.uow import require_unit_of_work


class SuppressedHash(Model):
    """A number that gets no texts from this shop and that nobody can read any more."""

    __tablename__ = "suppressed_hashes"
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"), primary_key=True)
    phone_hash: Mapped[str] = mapped_column(Text, primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


HAS_ANY = text("SELECT EXISTS (SELECT FROM suppressed_hashes WHERE shop_id = :shop_id)")

HIDE = text("""
    WITH hidden AS (
      DELETE FROM suppressions s USING unnest(CAST(:phones AS text[]), CAST(:hashes AS text[]))
        AS n (phone, hash)
      WHERE s.shop_id = :shop_id AND s.phone = n.phone RETURNING n.hash, s.source, s.created_at)
    INSERT INTO suppressed_hashes (shop_id, phone_hash, source, created_at)
    SELECT :shop_id, hash, source, created_at FROM hidden
    ON CONFLICT DO NOTHING""")

RECALL = text("""
    WITH known AS (
      DELETE FROM suppressed_hashes h USING unnest(CAST(:phones AS text[]), CAST(:hashes AS text[]))
        AS n (phone, hash)
      WHERE h.shop_id = :shop_id AND h.phone_hash = n.hash RETURNING n.phone, h.source, h.created_at)
    INSERT INTO suppressions (shop_id, phone, source, created_at)
    SELECT :shop_id, phone, source, created_at FROM known
    ON CONFLICT DO NOTHING
    RETURNING phone""")


def hash_of(shop_id: int, phone: str) -> str:
    """The keyed hash of an E.164 number, another one in every shop."""
    key = settings().suppression_hash_key.encode()
    return hmac.digest(key, f"{shop_id}:{phone}".encode(), "sha256").hex()


def hide(shop_id: int, phones: Iterable[str]) -> int:
    """Keep only hashes of these numbers' suppressions; how many there were. The caller has taken the turn."""
    done = require_unit_of_work().execute(HIDE, _hashed(shop_id, phones))
    return int(done.rowcount)  # type: ignore[attr-defined]


def recall(shop_id: int, phones: Iterable[str]) -> set[str]:
    """Suppress those of the numbers again whose hash is known; gives them. Costs nothing where no hash is."""
    session = require_unit_of_work()
    if not session.scalar(HAS_ANY, {"shop_id": shop_id}):
        return set()
    return set(session.scalars(RECALL, _hashed(shop_id, phones)))


def _hashed(shop_id: int, phones: Iterable[str]) -> dict[str, object]:
    numbers = sorted(set(phones))
    return {"shop_id": shop_id, "phones": numbers, "hashes": [hash_of(shop_id, one) for one in numbers]}
