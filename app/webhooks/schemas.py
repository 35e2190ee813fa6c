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


class TriggerIn(Schema):
    """A `shopId` is not looked at: the shop is the caller's."""

    contact_id = fields.Id(required=True, data_key="contactId")
    trigger_event = fields.String(required=True, data_key="triggerEvent")
    additional_data = fields.Dict(keys=fields.String(), load_default=dict, data_key="additionalData")


class FiredByHandSchema(Schema):
    """How many active automations the contact has entered."""

    entered = fields.Integer()
