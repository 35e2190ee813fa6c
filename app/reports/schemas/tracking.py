"""Messages as trackers show them."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.campaigns.schemas.figures import AnswerSchema, MetricsSchema
from app.core.http import fields
from app.core.http.pagination import PaginationSchema


class MessageStatusSchema(AnswerSchema):
    messageId = fields.String(attribute="message_id")  # noqa: N815
    deliveryStatus = fields.String(attribute="delivery_status", allow_none=True)  # noqa: N815
    createdAt = fields.Instant(attribute="row.created_at")  # noqa: N815
    updatedAt = fields.Instant(attribute="row.updated_at")  # noqa: N815


class MessageOfCampaignSchema(MessageStatusSchema):
    id = fields.Id(attribute="row.id")
    phoneE164 = fields.String(attribute="row.phone")  # noqa: N815
    status = fields.String()
    sentAt = fields.Instant(attribute="row.sent_at", allow_none=True)  # noqa: N815
    error = fields.String(attribute="row.failure", allow_none=True)


class CampaignOfMessageSchema(AnswerSchema):
    name = fields.String()
    status = fields.String()


class TrackedMessageSchema(MessageStatusSchema):
    """`warning` only when the carrier could not tell."""

    phoneE164 = fields.String(attribute="row.phone")  # noqa: N815
    status = fields.String()
    senderNumber = fields.String(attribute="row.sender", allow_none=True)  # noqa: N815
    campaign = fields.Nested(CampaignOfMessageSchema, allow_none=True)
    warning = fields.String()

    @ma.post_dump
    def leave_out_warning(self, answer: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {key: value for key, value in answer.items() if not (key == "warning" and value is None)}


class TrackedCampaignNameSchema(AnswerSchema):
    id = fields.Id(attribute="campaign.id")
    name = fields.String(attribute="campaign.name")
    status = fields.String()
    createdAt = fields.Instant(attribute="campaign.created_at")  # noqa: N815


class TrackedSummarySchema(AnswerSchema):
    """`queued` is on its way to the carrier, `pending` has been accepted and not reported on yet."""

    total = fields.Integer(attribute="recipients")
    sent = fields.Integer(attribute="accepted")
    delivered = fields.Integer()
    failed = fields.Integer()
    queued = fields.Integer()
    pending = fields.Integer(attribute="pending_delivery")


class TrackedCampaignSchema(AnswerSchema):
    campaignId = fields.Id(attribute="shown.campaign.id")  # noqa: N815
    campaign = fields.Nested(TrackedCampaignNameSchema, attribute="shown")
    messages = fields.List(fields.Nested(MessageOfCampaignSchema), attribute="items")
    summary = fields.Nested(TrackedSummarySchema, attribute="shown")
    metrics = fields.Nested(MetricsSchema, attribute="shown")
    pagination = fields.Nested(PaginationSchema)


class AskedSchema(AnswerSchema):
    """`deliveryStatus` and `error` only where there is one."""

    messageId = fields.String(attribute="name")  # noqa: N815
    deliveryStatus = fields.String(attribute="delivery_status", allow_none=True)  # noqa: N815
    success = fields.Boolean()
    error = fields.String(allow_none=True)

    @ma.post_dump
    def leave_out_nothing(self, answer: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {key: value for key, value in answer.items() if value is not None}


class AskedManySchema(AnswerSchema):
    updated = fields.Integer()
    failed = fields.Integer()
    results = fields.List(fields.Nested(AskedSchema))


class RefreshedManySchema(AskedManySchema):
    """`remaining` were not asked this time: ask again."""

    total = fields.Integer()
    remaining = fields.Integer()


class RefreshedMessageSchema(AnswerSchema):
    providerMessageId = fields.String(attribute="name")  # noqa: N815
    deliveryStatus = fields.String(attribute="delivery_status", allow_none=True)  # noqa: N815
    internalStatus = fields.String(attribute="status", allow_none=True)  # noqa: N815
    updatedRecipient = fields.Boolean(attribute="changed")  # noqa: N815
    updatedLog = fields.Boolean(attribute="changed")  # noqa: N815
