"""The hours in which marketing may reach people: looking at them, and replacing them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import time

from sqlalchemy import func, select

from app.core.errors import ValidationFailed
from app.core.uow import across_shops
from app.messaging.models import SendingWindow

COLUMNS = ("country", "state", "weekday", "opens", "closes")


def current_windows() -> Sequence[SendingWindow]:
    """The windows that count now, by place and weekday."""
    newest = select(func.max(SendingWindow.version)).scalar_subquery()
    found = select(SendingWindow).where(SendingWindow.version == newest)
    with across_shops("the law is the same for every shop") as session:
        return session.scalars(
            found.order_by(
                SendingWindow.country, SendingWindow.state, SendingWindow.weekday, SendingWindow.opens
            )
        ).all()


def replace_windows(lines: Iterable[str]) -> int:
    """Make a new version of all windows from CSV with the COLUMNS; its number. Old versions are kept.

    Raises ValidationFailed naming the line, and when no rule for everybody else (`*`) is among them.
    """
    rows = [_read(number, row) for number, row in enumerate(csv.DictReader(lines), start=2)]
    if not any(row["country"] == "*" and not row["state"] for row in rows):
        raise ValidationFailed("country", "needs rows for * (everywhere else)")
    with across_shops("the law is the same for every shop") as session:
        version = 1 + (session.scalar(select(func.max(SendingWindow.version))) or 0)
        session.add_all(SendingWindow(version=version, **row) for row in rows)
    return version


def _read(number: int, row: dict[str, str]) -> dict[str, object]:
    try:
        window = {
            "country": row["country"].strip().upper(),
            "state": (row["state"] or "").strip().upper(),
            "weekday": int(row["weekday"]),
            "opens": time.fromisoformat(row["opens"].strip()),
            "closes": time.fromisoformat(row["closes"].strip()),
        }
    except (KeyError, ValueError, AttributeError) as wrong:
        raise ValidationFailed(f"line {number}", f"must have {', '.join(COLUMNS)}") from wrong
    if not 1 <= int(row["weekday"]) <= 7 or row["opens"] >= row["closes"] or not window["country"]:
        raise ValidationFailed(f"line {number}", "needs weekday 1 (Monday) to 7 and opens before closes")
    return window
