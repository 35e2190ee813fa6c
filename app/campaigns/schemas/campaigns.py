"""Campaigns, lists of them, and the answers to what is done with them."""

from __future__ import annotations

from app.campaigns.schemas.figures import AnswerSchema, CanonicalSchema, FiguresSchema
from app.core.http import fields, page_schema
from app.core.http.pagination import PaginationSchema


class CampaignSchema(FiguresSchema):
    id = fields.Id(attribute="campaign.id")
    name = fields.String(attribute="campaign.name")
    message = fields.String(attribute="campaign.message")
    status = fields.String()
    status_raw = fields.String(attribute="campaign.status", data_key="statusRaw")
    audience = fields.String(attribute="campaign.audience")
    discount_id = fields.String(attribute="campaign.discount_id", data_key="discountId", allow_none=True)
    schedule_type = fields.String(attribute="campaign.schedule_type", data_key="scheduleType")
    schedule_at = fields.Instant(attribute="campaign.schedule_at", data_key="scheduleAt", allow_none=True)
    scheduled_at = fields.Instant(attribute="campaign.schedule_at", data_key="scheduledAt", allow_none=True)
    recurring_days = fields.Integer(
        attribute="campaign.recurring_days", data_key="recurringDays", allow_none=True
    )
    priority = fields.String(attribute="campaign.priority")
    created_at = fields.Instant(attribute="campaign.created_at", data_key="createdAt")
    updated_at = fields.Instant(attribute="campaign.updated_at", data_key="updatedAt")
    started_at = fields.Instant(attribute="campaign.started_at", data_key="startedAt", allow_none=True)
    finished_at = fields.Instant(attribute="campaign.finished_at", data_key="finishedAt", allow_none=True)
    recipient_count = fields.Integer(attribute="recipients", data_key="recipientCount")
    sent_count = fields.Integer(attribute="accepted", data_key="sentCount")
    delivered_count = fields.Integer(attribute="delivered", data_key="deliveredCount")
    failed_count = fields.Integer(attribute="failed", data_key="failedCount")
    meta = fields.Dict(allow_none=True)
    last_enqueue_error = fields.String(
        attribute="campaign.last_enqueue_error", data_key="lastEnqueueError", allow_none=True
    )


class CancelledCampaignSchema(CampaignSchema):
    ok = fields.Constant(True)
    campaign_id = fields.Id(attribute="campaign.id", data_key="campaignId")
    cancelled_recipients = fields.Integer(attribute="cancelled", data_key="cancelledRecipients")
    removed_jobs = fields.Integer(attribute="cancelled", data_key="removedJobs")


CampaignPageSchema = page_schema(CampaignSchema, "campaigns")


class SummaryCountsSchema(AnswerSchema):
    total = fields.Integer()
    by_status = fields.Dict(keys=fields.String(), values=fields.Integer(), data_key="byStatus")


class SummarySchema(SummaryCountsSchema):
    total_campaigns = fields.Integer(attribute="total", data_key="totalCampaigns")
    stats = fields.Nested(SummaryCountsSchema)
    recent = fields.List(fields.Nested(CampaignSchema))
    recent_campaigns = fields.List(
        fields.Nested(CampaignSchema), attribute="recent", data_key="recentCampaigns"
    )


class QueueCountsSchema(AnswerSchema):
    waiting = fields.Integer()
    active = fields.Integer()
    completed = fields.Integer()
    delayed = fields.Integer()
    failed = fields.Integer()
    total = fields.Integer()


class QueueProcessingSchema(AnswerSchema):
    jobs_per_hour = fields.Integer(data_key="jobsPerHour")
    recent_completed = fields.Integer(data_key="recentCompleted")
    recent_failed = fields.Integer(data_key="recentFailed")


class QueueHealthSchema(AnswerSchema):
    status = fields.String()
    has_failures = fields.Boolean(data_key="hasFailures")


class QueueStatsSchema(AnswerSchema):
    counts = fields.Nested(QueueCountsSchema)
    processing = fields.Nested(QueueProcessingSchema)
    health = fields.Nested(QueueHealthSchema)


class EnqueuedSchema(AnswerSchema):
    ok = fields.Boolean()
    queued = fields.Integer()
    enqueued_jobs = fields.Integer(data_key="enqueuedJobs")
    campaign_id = fields.Id(data_key="campaignId")
    status = fields.String()


class SentSchema(AnswerSchema):
    campaign_id = fields.Id(data_key="campaignId")
    recipient_count = fields.Integer(attribute="queued", data_key="recipientCount")
    status = fields.String()
    queued_at = fields.String(data_key="queuedAt")


class RetriedSchema(AnswerSchema):
    ok = fields.Boolean()
    campaign_id = fields.Id(data_key="campaignId")
    retried = fields.Integer()
    enqueued_jobs = fields.Integer(data_key="enqueuedJobs")
    message = fields.Function(lambda answer: f"{answer['retried']} messages will be sent again.")


class TestSentSchema(AnswerSchema):
    campaign_id = fields.Id(data_key="campaignId")
    message_id = fields.Id(data_key="messageId")
    phone = fields.String(data_key="phoneE164")


class FailedContactSchema(AnswerSchema):
    id = fields.Id(attribute="contact_id")
    first_name = fields.String(data_key="firstName", allow_none=True)
    last_name = fields.String(data_key="lastName", allow_none=True)
    email = fields.String(allow_none=True)


class FailedRecipientSchema(AnswerSchema):
    id = fields.Id()
    phone = fields.String(data_key="phoneE164")
    error = fields.String(attribute="failure", allow_none=True)
    failed_at = fields.Instant(attribute="updated_at", data_key="failedAt")
    contact = fields.Nested(FailedContactSchema, allow_none=True)


class FailedRecipientsSchema(AnswerSchema):
    campaign_id = fields.Id(data_key="campaignId")
    failed_count = fields.Integer(attribute="total", data_key="failedCount")
    recipients = fields.List(fields.Nested(FailedRecipientSchema), attribute="items")
    pagination = fields.Nested(PaginationSchema)


class UpdatedStatusSchema(AnswerSchema):
    campaign_id = fields.Id(attribute="campaign.id", data_key="campaignId")
    updated = fields.Integer(
        attribute="processed", metadata={"description": "recipients whose outcome is known"}
    )
    total = fields.Integer(attribute="recipients")
    failed = fields.Integer()


class ReconciledSchema(AnswerSchema):
    ok = fields.Constant(True)
    action = fields.String(metadata={"enum": ["finalized", "re_enqueued", "noop"]})
    status = fields.String(attribute="shown.status")
    final_status = fields.String(data_key="finalStatus", allow_none=True)
    stale = fields.Boolean()
    pending_recipient_ids = fields.List(
        fields.Id(), data_key="pendingRecipientIds", metadata={"description": "the first hundred"}
    )
    enqueued_jobs = fields.Integer(data_key="enqueuedJobs")
    canonical = fields.Nested(CanonicalSchema, attribute="shown")
