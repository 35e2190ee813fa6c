"""What a shop has used so far, in one read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Row

from app.core.uow import require_unit_of_work

# Messages are counted by their runs, which keep the count; contacts by an index alone.
USAGE = text("""
    SELECT (SELECT count(*) FROM contacts WHERE shop_id = :shop_id) AS contacts,
           (SELECT count(*) FROM campaigns WHERE shop_id = :shop_id) AS campaigns,
           (SELECT coalesce(sum(sent + delivered + undelivered), 0)
            FROM message_runs WHERE shop_id = :shop_id)::bigint AS messages""")


def usage(shop_id: int) -> Row[Any]:
    """The shop's contacts, campaigns and messages that the provider took."""
    return require_unit_of_work().execute(USAGE, {"shop_id": shop_id}).one()
