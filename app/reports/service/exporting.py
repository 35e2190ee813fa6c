"""Reports to keep: rows that are read page by page and written line by line, never all at once.

A file has one kind of row: campaigns for the campaigns report, groups for contacts, days for the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

from app.core.clock import now
from app.core.csv import Cell, csv_file, csv_text
from app.core.uow import unit_of_work
from app.messaging.states import Source
from app.reports import queries
from app.reports.service import overview, reading
from app.reports.service.days import NOTHING, Days
from app.reports.service.reported import ContactsReport, ReportedCampaign
from app.reports.service.windows import Window

Rows = Iterator[Sequence[Cell]]
PAGE = 500
KEPT = timedelta(hours=24)
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}

READERS: dict[str, Callable[..., Any]] = {
    "overview": overview.report_overview,
    "campaigns": reading.report_campaigns,
    "automations": reading.report_automations,
    "credits": reading.report_credits,
    "contacts": reading.report_contacts,
    "messaging": reading.report_messaging,
}

DAY_HEADER = ("date", "sent", "delivered", "failed", "deliveryRate", "creditsUsed")
CONTACTS_HEADER = ("group", "value", "count", "percentage")
CAMPAIGNS_HEADER = (
    "id",
    "name",
    "status",
    "scheduleType",
    "createdAt",
    "sent",
    "delivered",
    "failed",
    "deliveryRate",
    "creditsUsed",
)


@dataclass(frozen=True)
class Export:
    """A report, and how to read its rows."""

    report_type: str
    file_format: str
    report: Any
    generated_at: datetime
    header: Sequence[str]
    rows: Callable[[], Rows]
    window: Window

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.file_format]

    @property
    def filename(self) -> str:
        first, last = self.window.first_on, self.window.last_on
        return f"astronote-{self.report_type}-{first}-{last}.{self.file_format}"


def export(
    shop_id: int, *, report_type: str, file_format: str, first: str | None = None, last: str | None = None
) -> Export:
    """Read a report and prepare its rows. Raises ValidationFailed."""
    report = READERS[report_type](shop_id, first=first, last=last)
    header, rows = _rows_of(shop_id, report_type, report)
    return Export(report_type, file_format, report, now(), header, rows, report.window)


def as_answer(exported: Export, report: Any) -> dict[str, Any]:
    """The export as one answer; with the whole CSV inside when that was asked for."""
    return {
        "report": report,
        "csv": csv_text(chain([exported.header], exported.rows())) if exported.file_format == "csv" else None,
        "file_format": exported.file_format,
        "report_type": exported.report_type,
        "generated_at": exported.generated_at,
        "expires_at": exported.generated_at + KEPT,
    }


def lines(exported: Export) -> Iterator[str]:
    """The file, piece by piece."""
    if exported.file_format == "csv":
        yield from csv_file(exported.header, exported.rows())
    else:
        yield from _json_lines(exported)


def _json_lines(exported: Export) -> Iterator[str]:
    separator = "["
    for row in exported.rows():
        yield separator + json.dumps(dict(zip(exported.header, row, strict=True)), ensure_ascii=False)
        separator = ",\n"
    yield "]" if separator != "[" else "[]"


def _rows_of(shop_id: int, report_type: str, report: Any) -> tuple[Sequence[str], Callable[[], Rows]]:
    if report_type == "campaigns":
        return CAMPAIGNS_HEADER, lambda: _campaigns(shop_id, report.window)
    if report_type == "contacts":
        return CONTACTS_HEADER, lambda: _contacts(report)
    sources = (Source.AUTOMATION,) if report_type == "automations" else ()
    days = report.campaigns.days if report_type == "overview" else report.days
    return DAY_HEADER, lambda: _days(days, *sources)


def _days(days: Days, *sources: Source) -> Rows:
    for day in days.each(*sources):
        one = day.figures
        yield (_iso(day.on), one.sent, one.delivered, one.not_reached, one.delivery_rate, one.credits)


def _contacts(report: ContactsReport) -> Rows:
    people = report.people
    yield ("total", "contacts", people.total, 100.0 if people.total else 0.0)
    for consent in ("opted_in", "opted_out", "unknown"):
        count = getattr(people, consent)
        yield ("consent", consent, count, round(count * 100 / people.total, 1) if people.total else 0.0)
    for one in report.genders:
        yield ("gender", one["gender"], one["count"], one["percentage"])


def _campaigns(shop_id: int, over: Window) -> Rows:
    """Page by page, from the newest on; each page is a short transaction of its own."""
    below: int | None = None
    while True:
        with unit_of_work(shop_id):
            chosen = queries.campaigns_within(shop_id, over.starts_at, over.ends_at)
            page = queries.newest_campaigns(chosen, PAGE, below=below)
            figures = reading.figures_of_campaigns(shop_id, over, [one.id for one in page])
        for campaign in page:
            yield _campaign(ReportedCampaign(campaign, figures.get(campaign.id, NOTHING)))
        if len(page) < PAGE:
            return
        below = page[-1].id


def _campaign(one: ReportedCampaign) -> Sequence[Cell]:
    campaign, figures = one.campaign, one.figures
    return (
        str(campaign.id),
        campaign.name,
        one.status,
        campaign.schedule_type,
        campaign.created_at.isoformat(timespec="seconds"),
        figures.sent,
        figures.delivered,
        figures.not_reached,
        figures.delivery_rate,
        figures.credits,
    )


def _iso(day: date) -> str:
    return day.isoformat()
