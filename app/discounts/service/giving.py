"""Noting which codes were given out, so that an order shows by its code which text it came of. Steps."""

from __future__ import annotations

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from app.core.uow import require_unit_of_work
from app.discounts.models import RunCode


def note_code(shop_id: int, run_id: int, code: str) -> None:
    """Note that a run gives `code` to all its recipients; once for each run."""
    if code.strip():
        # Small letters as Postgres makes them: an order's codes are compared there.
        values = {"shop_id": shop_id, "run_id": run_id, "code_key": func.lower(code.strip()[:255])}
        require_unit_of_work().execute(insert(RunCode).values(values).on_conflict_do_nothing())
