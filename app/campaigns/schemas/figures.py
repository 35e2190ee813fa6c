"""The numbers of a campaign, in the many shapes that both clients read."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.campaigns.service.figures import SOURCE_OF_TRUTH
from app.core.http import Schema, fields


class AnswerSchema(Schema):
    """What is only given, never taken: one number may stand under several names."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        field_obj.dump_only = True


class TotalsSchema(AnswerSchema):
    recipients = fields.Integer()
    accepted = fields.Integer()
    sent = fields.Integer()
    delivered = fields.Integer()
    failed = fields.Integer()


class DeliverySchema(AnswerSchema):
    pending_delivery = fields.Integer(data_key="pendingDelivery")
    delivered = fields.Integer()
    failed_delivery = fields.Integer(data_key="failedDelivery")


class FiguresSchema(AnswerSchema):
    """The numbers that every answer about a campaign repeats."""

    total_recipients = fields.Integer(attribute="recipients", data_key="totalRecipients")
    total_sent = fields.Integer(attribute="accepted", data_key="totalSent")
    total_delivered = fields.Integer(attribute="delivered", data_key="totalDelivered")
    total_failed = fields.Integer(attribute="failed", data_key="totalFailed")
    total_processed = fields.Integer(attribute="processed", data_key="totalProcessed")
    total_clicked = fields.Integer(attribute="counts.clicked", data_key="totalClicked")
    totals = fields.Nested(TotalsSchema)
    delivery = fields.Nested(DeliverySchema)
    source_of_truth = fields.Constant(SOURCE_OF_TRUTH, data_key="sourceOfTruth")


class MetricsSchema(FiguresSchema):
    total = fields.Integer(attribute="recipients")
    sent = fields.Integer(attribute="accepted")
    accepted = fields.Integer()
    delivered = fields.Integer()
    failed = fields.Integer()
    pending_delivery = fields.Integer(data_key="pendingDelivery")
    sent_percentage = fields.Float(data_key="sentPercentage")
    failed_percentage = fields.Float(data_key="failedPercentage")
    delivered_percentage = fields.Float(data_key="deliveredPercentage")
    delivery_rate = fields.Float(data_key="deliveryRate")
    clicks = fields.Integer(attribute="counts.clicked")
    unsubscribes = fields.Integer(attribute="counts.opted_out")
    conversions = fields.Integer(metadata={"description": "orders; only of shops that tell of them"})
    conversion_rate = fields.Float(data_key="conversionRate", metadata={"description": "a fraction"})

    @ma.post_dump
    def leave_out_what_is_not_tracked(self, answer: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in answer.items() if value is not None}


class StatusCampaignSchema(AnswerSchema):
    id = fields.Id(attribute="campaign.id")
    name = fields.String(attribute="campaign.name")
    status = fields.String()
    total = fields.Integer(attribute="recipients")
    sent = fields.Integer(attribute="accepted")
    failed = fields.Integer()
    processed = fields.Integer()
    created_at = fields.Instant(attribute="campaign.created_at", data_key="createdAt")
    updated_at = fields.Instant(attribute="campaign.updated_at", data_key="updatedAt")


class StatusMetricsSchema(AnswerSchema):
    queued = fields.Integer()
    success = fields.Integer(attribute="accepted")
    processed = fields.Integer()
    failed = fields.Integer()


class CanonicalSchema(AnswerSchema):
    status = fields.String()
    status_raw = fields.String(attribute="campaign.status", data_key="statusRaw")
    started_at = fields.Instant(attribute="campaign.started_at", data_key="startedAt", allow_none=True)
    finished_at = fields.Instant(attribute="campaign.finished_at", data_key="finishedAt", allow_none=True)
    queued = fields.Integer()
    totals = fields.Nested(TotalsSchema)
    delivery = fields.Nested(DeliverySchema)
    source_of_truth = fields.Constant(SOURCE_OF_TRUTH, data_key="sourceOfTruth")


class StatusSchema(AnswerSchema):
    campaign = fields.Nested(StatusCampaignSchema, attribute="itself")
    metrics = fields.Nested(StatusMetricsSchema, attribute="itself")
    canonical = fields.Nested(CanonicalSchema, attribute="itself")
    status = fields.String()
    queued = fields.Integer()
    processed = fields.Integer()
    sent = fields.Integer(attribute="accepted")
    failed = fields.Integer()


class ProgressSchema(AnswerSchema):
    total = fields.Integer(attribute="recipients")
    sent = fields.Integer(attribute="accepted")
    failed = fields.Integer()
    pending = fields.Integer(attribute="queued")
    processed = fields.Integer()
    progress = fields.Integer(attribute="percent_done")
    accepted = fields.Integer()
    delivered = fields.Integer()
    failed_delivery = fields.Integer(attribute="failed", data_key="failedDelivery")
    pending_delivery = fields.Integer(data_key="pendingDelivery")
    percentage = fields.Integer(attribute="percent_done")
    status = fields.String()
    source_of_truth = fields.Constant(SOURCE_OF_TRUTH, data_key="sourceOfTruth")
