"""The activity log, page by page and as a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from app.access import queries
from app.access.queries import ActivityFilter
from app.core.activity import Activity
from app.core.http import Page
from app.core.uow import unit_of_work

PORTION = 500
BYTE_ORDER_MARK = "\ufeff"  # without it spreadsheets take UTF-8 for something older
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
HEADER = (
    "at",
    "action",
    "actorKind",
    "actorId",
    "objectKind",
    "objectId",
    "requestId",
    "network",
    "details",
)


def list_activity(shop_id: int, wanted: ActivityFilter, *, page: int, page_size: int) -> Page[Activity]:
    """One page of what was done in the shop, the newest first."""
    with unit_of_work(shop_id):
        found = queries.matching(shop_id, wanted)
        rows = queries.newest(found, page_size, skip=(page - 1) * page_size)
        return Page(rows, queries.count(found), page, page_size)


def csv_lines(shop_id: int, wanted: ActivityFilter) -> Iterator[str]:
    """The wanted entries as a CSV file, line by line; no cell starts a formula.

    Read in portions, each a short transaction of its own. What is written meanwhile is newer and stays out.
    """
    yield BYTE_ORDER_MARK + _line(HEADER)
    found = queries.matching(shop_id, wanted)
    last: Activity | None = None
    while True:
        with unit_of_work(shop_id):
            portion = queries.newest(found, PORTION, before=last)
        yield from (_line(_cells(entry)) for entry in portion)
        if len(portion) < PORTION:
            return
        last = portion[-1]


def _cells(entry: Activity) -> tuple[Any, ...]:
    return (
        entry.at.isoformat(timespec="milliseconds"),
        entry.action,
        entry.actor_kind,
        entry.actor_id,
        entry.object_kind,
        entry.object_id,
        entry.request_id,
        entry.network,
        json.dumps(entry.details, sort_keys=True),
    )


def _line(cells: tuple[Any, ...]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow("" if cell is None else _harmless(str(cell)) for cell in cells)
    return written.getvalue()


def _harmless(cell: str) -> str:
    # A caller chooses its request id, so a cell may begin as a formula does; the apostrophe makes it text.
    return f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell
