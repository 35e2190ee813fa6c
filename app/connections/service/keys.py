"""Changing the key that tokens are encrypted with."""

from __future__ import annotations

import structlog

from app.connections import queries
from app.connections.encryption import UnreadableToken, reseal
from app.core.uow import across_shops

log = structlog.get_logger(__name__)
BATCH = 200


def rotate_keys() -> tuple[int, int]:
    """Encrypt every token with the newest key; how many shops that was, and how many no key opens.

    Safe beside running workers, and to repeat: a token that was replaced meanwhile has the newest key.
    """
    done, unreadable, after = 0, 0, 0
    while True:
        with across_shops("every shop's tokens get the newest key") as session:
            rows = session.execute(queries.SEALED, {"after": after, "limit": BATCH}).all()
            renewed = [one for row in rows if (one := _resealed(*row)) is not None]
            if renewed:
                columns = zip(*renewed, strict=True)
                names = ("ids", "old_access", "old_refresh", "access", "refresh")
                session.execute(queries.RESEAL, dict(zip(names, map(list, columns), strict=True)))
        if not rows:
            return done, unreadable
        done, unreadable, after = done + len(renewed), unreadable + len(rows) - len(renewed), rows[-1].shop_id


def _resealed(
    shop_id: int, access: bytes | None, refresh: bytes | None
) -> tuple[int, bytes | None, bytes | None, bytes | None, bytes | None] | None:
    try:
        new = [None if old is None else reseal(bytes(old)) for old in (access, refresh)]
    except UnreadableToken:
        log.error("shopify_token_unreadable", shop_id=shop_id)
        return None
    return shop_id, access, refresh, new[0], new[1]
