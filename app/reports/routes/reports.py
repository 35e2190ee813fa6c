"""Reports over HTTP."""

from __future__ import annotations

from typing import Any

from flask import g

from app.core.cache import cached
from app.core.http import ApiBlueprint
from app.core.http.download import download
from app.reports.routes import FAMILIES
from app.reports.schemas.overview import KpisSchema, ReportsOverviewSchema
from app.reports.schemas.reports import (
    AutomationsReportSchema,
    CampaignReportSchema,
    CampaignsReportSchema,
    ContactsReportSchema,
    CreditsReportSchema,
    MessagingReportSchema,
    ReportExportSchema,
)
from app.reports.schemas.requests import CampaignsQuery, CreditsQuery, ExportQuery, WindowQuery
from app.reports.schemas.revenue import RevenueReportSchema
from app.reports.service import exporting, overview, reading
from app.reports.service.revenue import report_revenue

blueprint = ApiBlueprint("reports", __name__, description="Figures over a time")
Query = dict[str, Any]
SECONDS = 300  # what a change whose process died before telling may stay unseen
SCHEMAS = {
    "overview": ReportsOverviewSchema,
    "campaigns": CampaignsReportSchema,
    "automations": AutomationsReportSchema,
    "credits": CreditsReportSchema,
    "contacts": ContactsReportSchema,
    "messaging": MessagingReportSchema,
}
ROWS_OR_ENVELOPE = {
    "anyOf": [
        {"$ref": "#/components/schemas/ReportExportEnvelope"},
        {"type": "array", "items": {"type": "object"}},
    ]
}
# What `download` gives instead of the envelope.
FILE = {"text/csv": {"schema": {"type": "string"}}, "application/json": {"schema": ROWS_OR_ENVELOPE}}


@blueprint.get("/reports/overview")
@cached(*FAMILIES, seconds=SECONDS)
@blueprint.arguments(WindowQuery, location="query")
@blueprint.data(200, ReportsOverviewSchema)
def show_overview(query: Query) -> Any:
    """Every report's summary."""
    return overview.report_overview(g.shop_id, **query)


@blueprint.get("/reports/kpis")
@cached(*FAMILIES, seconds=SECONDS)
@blueprint.data(200, KpisSchema)
def kpis() -> Any:
    """The shop now, and its last seven days."""
    return overview.kpis(g.shop_id)


@blueprint.get("/reports/campaigns")
@cached(*FAMILIES, seconds=SECONDS)
@blueprint.arguments(CampaignsQuery, location="query")
@blueprint.data(200, CampaignsReportSchema)
def campaigns(query: Query) -> Any:
    """Campaigns that were written, or whose messages moved, in the time."""
    return reading.report_campaigns(g.shop_id, **query)


@blueprint.get("/reports/campaigns/<id:campaign_id>")
@cached(*FAMILIES, seconds=SECONDS)
@blueprint.arguments(WindowQuery, location="query")
@blueprint.data(200, CampaignReportSchema)
@blueprint.errors(404)
def campaign(query: Query, campaign_id: int) -> Any:
    """All that one campaign did, and its days in the time."""
    return reading.report_campaign(g.shop_id, campaign_id, **query)


@blueprint.get("/reports/automations")
@cached(*FAMILIES, seconds=SECONDS)
@blueprint.arguments(WindowQuery, location="query")
@blueprint.data(200, AutomationsReportSchema)
def automations(query: Query) -> Any:
    """What automations did in the time."""
    return reading.report_automations(g.shop_id, **query)


@blueprint.get("/reports/messaging")
@cached(*FAMILIES, seconds=SECONDS)
@blueprint.arguments(WindowQuery, location="query")
@blueprint.data(200, MessagingReportSchema)
def messaging(query: Query) -> Any:
    """Texts sent and received in the time."""
    return reading.report_messaging(g.shop_id, **query)


@blueprint.get("/reports/credits")
@cached(*FAMILIES, seconds=SECONDS)
@blueprint.arguments(CreditsQuery, location="query")
@blueprint.data(200, CreditsReportSchema)
def credits(query: Query) -> Any:
    """Credits spent and bought in the time."""
    return reading.report_credits(g.shop_id, **query)


@blueprint.get("/reports/contacts")
@cached(*FAMILIES, seconds=SECONDS)
@blueprint.arguments(WindowQuery, location="query")
@blueprint.data(200, ContactsReportSchema)
def contacts(query: Query) -> Any:
    """Who the contacts are, and how many were reached in the time."""
    return reading.report_contacts(g.shop_id, **query)


@blueprint.get("/reports/revenue")
@cached(*FAMILIES, seconds=SECONDS)
@blueprint.arguments(WindowQuery, location="query")
@blueprint.data(200, RevenueReportSchema)
def revenue(query: Query) -> Any:
    """What was sold in the time, and which texts sold it."""
    return report_revenue(g.shop_id, **query)


@blueprint.get("/reports/export")
@blueprint.arguments(ExportQuery, location="query")
@blueprint.data(200, ReportExportSchema)
@blueprint.doc(responses={"200": {"description": "OK", "content": FILE}})
def export(query: Query) -> Any:
    """Give a report to keep: as data, with the CSV inside, or (`download`) as a file."""
    wants_file = query.pop("download")
    exported = exporting.export(g.shop_id, **query)
    if wants_file:
        lines = exporting.lines(exported)
        return download(lines, exported.filename, content_type=exported.content_type)
    return exporting.as_answer(exported, SCHEMAS[exported.report_type]().dump(exported.report))
