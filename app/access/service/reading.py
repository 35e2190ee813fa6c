"""The activity log, page by page and as a file."""

from __future__ import annotations

import json
from collections.abc import Iterator

from app.access import queries
from app.access.queries import ActivityFilter
from app.core.activity import Activity
from app.core.csv import Row, csv_file
from app.core.http import Page
from app.core.uow import unit_of_work

PORTION = 500
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


def activity_file(shop_id: int, wanted: ActivityFilter) -> Iterator[str]:
    """The wanted entries as a CSV file, piece by piece."""
    return csv_file(HEADER, _rows(shop_id, wanted))


def _rows(shop_id: int, wanted: ActivityFilter) -> Iterator[Row]:
    """In portions, each a short transaction of its own. What is written meanwhile is newer and stays out."""
    found = queries.matching(shop_id, wanted)
    last: Activity | None = None
    while True:
        with unit_of_work(shop_id):
            portion = queries.newest(found, PORTION, before=last)
        yield from map(_cells, portion)
        if len(portion) < PORTION:
            return
        last = portion[-1]


def _cells(entry: Activity) -> Row:
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
