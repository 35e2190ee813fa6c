"""What the carrier is answered."""

from __future__ import annotations

from app.core.http import Schema, fields


class ReportsReceivedSchema(Schema):
    """The effects come later, so `updated` and `affectedCampaigns` are always empty."""

    ok = fields.Boolean()
    received = fields.Integer()
    updated = fields.Integer()
    affected_campaigns = fields.List(fields.String(), data_key="affectedCampaigns")


class TextReceivedSchema(Schema):
    ok = fields.Boolean()
    received = fields.Integer()


class EventReceivedSchema(Schema):
    """The effects come later."""

    ok = fields.Boolean()
