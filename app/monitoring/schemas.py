"""What monitoring answers."""

from __future__ import annotations

import marshmallow as ma

from app.core.http import Schema, fields


class MetricsQuery(Schema):
    format = fields.String(load_default="json", validate=ma.validate.OneOf(["json", "prometheus"]))


class SystemMetricsSchema(Schema):
    queue_sms_waiting = fields.Integer()
    queue_campaign_waiting = fields.Integer()
    queue_automation_waiting = fields.Integer()
    campaigns_total = fields.Dict(metadata={"description": "by status"})
    campaigns_stuck = fields.Integer()
    credit_reservations_active = fields.Integer()
    credit_reservations_expired = fields.Integer()
    webhook_events_failed_total = fields.Integer()
    counters = fields.Dict(metadata={"description": "by name: what was counted, by labels"})


class ConfigHealthSchema(Schema):
    ok = fields.Boolean()
    shopify = fields.Dict()
    redis = fields.Boolean()
    mitto = fields.Dict()


class ChecksSchema(Schema):
    db = fields.Boolean()
    redis = fields.Boolean()
    workers = fields.Boolean()
    scheduler = fields.Boolean()
    cache = fields.Boolean()
    queue = fields.Boolean()
    queueCounts = fields.Dict()  # noqa: N815
    mitto = fields.Boolean()
    shopify = fields.Boolean()


class FullHealthSchema(Schema):
    ok = fields.Boolean()
    checks = fields.Nested(ChecksSchema)
    metrics = fields.Dict()
    timestamp = fields.String()
    uptime = fields.Integer(metadata={"description": "seconds since this process began"})
    version = fields.String()
    responseTime = fields.Float(metadata={"description": "milliseconds"})  # noqa: N815
