"""What may be asked of reports and trackers."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.core.errors import ValidationFailed
from app.core.http import PageQuery, Schema, fields

ASKED_MAX = 100
NAMES_MAX = 1000
PAGE_MAX = 500
NAME = ma.validate.Length(1, 128)
DAY = {"example": "2026-01-20", "description": "a day, or an instant on it, in any zone"}


class WindowQuery(Schema):
    """The last 30 days unless `from`, `to` or both are given; at most 366 days."""

    first = fields.String(data_key="from", load_default=None, metadata=DAY)
    last = fields.String(data_key="to", load_default=None, metadata=DAY)


class CampaignsQuery(WindowQuery, PageQuery):
    """`type` is accepted and ignored: one client sends it."""

    status = fields.String(load_default=None)


class CreditsQuery(WindowQuery):
    usage_type = fields.String(
        data_key="usageType", load_default="all", validate=ma.validate.OneOf(["all", "campaign", "manual"])
    )


class ExportQuery(WindowQuery):
    """With `download` the file itself, as an attachment; else the report with the file inside."""

    report_type = fields.String(
        data_key="type",
        load_default="overview",
        validate=ma.validate.OneOf(
            ["overview", "campaigns", "automations", "credits", "contacts", "messaging"]
        ),
    )
    file_format = fields.String(
        data_key="format", load_default="json", validate=ma.validate.OneOf(["csv", "json"])
    )
    download = fields.Boolean(load_default=False)


class TrackingQuery(Schema):
    """`page` and `pageSize` (alias `limit`), at most 500."""

    page = fields.Integer(load_default=1, validate=ma.validate.Range(1, 1_000_000))
    page_size = fields.Integer(
        data_key="pageSize", load_default=None, validate=ma.validate.Range(1, PAGE_MAX)
    )
    limit = fields.Integer(load_default=None, validate=ma.validate.Range(1, PAGE_MAX))

    @ma.post_load
    def settle_size(self, query: dict[str, Any], **_: Any) -> dict[str, Any]:
        limit = query.pop("limit", None)
        query["page_size"] = query.get("page_size") or limit or 100
        return query


class MessageIdsIn(Schema):
    names = fields.List(
        fields.String(validate=NAME),
        required=True,
        data_key="messageIds",
        validate=ma.validate.Length(1, ASKED_MAX),
    )


class ProviderMessageIn(Schema):
    name = fields.String(required=True, data_key="providerMessageId", validate=NAME)


class RefreshIn(Schema):
    """A campaign, or messages by the carrier's ids. Of many, the first 100 are asked about."""

    campaign_id = fields.Id(data_key="campaignId", load_default=None, allow_none=True)
    names = fields.List(
        fields.String(validate=NAME),
        data_key="providerMessageIds",
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(1, NAMES_MAX),
    )

    @ma.post_load
    def require_one(self, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        if body["campaign_id"] is None and body["names"] is None:
            raise ValidationFailed("providerMessageIds", "is required unless campaignId is given")
        return body
