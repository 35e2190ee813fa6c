"""The reports as the clients read them. Rates are numbers in percent; days are the shop's."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.campaigns.schemas.figures import AnswerSchema
from app.core.http import fields
from app.core.http.pagination import PaginationSchema

# `from` is a word of Python, so this one is not written as a class.
DateRangeSchema = AnswerSchema.from_dict(
    {"from": fields.Instant(), "to": fields.Instant(), "window": fields.String()}, name="DateRangeSchema"
)


class ReportSchema(AnswerSchema):
    dateRange = fields.Nested(DateRangeSchema, attribute="window.shown")  # noqa: N815


class MessagesOnDaySchema(AnswerSchema):
    date = fields.Date(attribute="on")
    messages = fields.Integer(attribute="figures.sent")


class StatusCountSchema(AnswerSchema):
    status = fields.String()
    count = fields.Integer()


class ReportedSchema(AnswerSchema):
    """A campaign in the list: what it is, and how much it sent in the window."""

    id = fields.Id(attribute="campaign.id")
    name = fields.String(attribute="campaign.name")
    status = fields.String()
    scheduleType = fields.String(attribute="campaign.schedule_type")  # noqa: N815
    createdAt = fields.Instant(attribute="campaign.created_at")  # noqa: N815
    updatedAt = fields.Instant(attribute="campaign.updated_at")  # noqa: N815
    messageCount = fields.Integer(attribute="figures.sent")  # noqa: N815


class CampaignFiguresSchema(AnswerSchema):
    """The same campaign as one client's page reads it."""

    id = fields.Id(attribute="campaign.id")
    campaignId = fields.Id(attribute="campaign.id")  # noqa: N815
    campaignName = fields.String(attribute="campaign.name")  # noqa: N815
    name = fields.String(attribute="campaign.name")
    status = fields.String()
    sent = fields.Integer(attribute="figures.sent")
    delivered = fields.Integer(attribute="figures.delivered")
    failed = fields.Integer(attribute="figures.not_reached")
    deliveryRate = fields.Float(attribute="figures.delivery_rate")  # noqa: N815
    creditsUsed = fields.Integer(attribute="figures.credits")  # noqa: N815
    date = fields.Instant(attribute="campaign.created_at")


class TopPerformerSchema(AnswerSchema):
    id = fields.Id(attribute="campaign.id")
    name = fields.String(attribute="campaign.name")
    status = fields.String()
    delivered = fields.Integer(attribute="figures.delivered")
    sent = fields.Integer(attribute="figures.sent")
    createdAt = fields.Instant(attribute="campaign.created_at")  # noqa: N815


class CampaignStatsSchema(AnswerSchema):
    totalSent = fields.Integer(attribute="total_figures.sent")  # noqa: N815
    totalDelivered = fields.Integer(attribute="total_figures.delivered")  # noqa: N815
    totalFailed = fields.Integer(attribute="total_figures.not_reached")  # noqa: N815
    avgDeliveryRate = fields.Float(attribute="total_figures.delivery_rate")  # noqa: N815
    byStatus = fields.Dict(  # noqa: N815
        keys=fields.String(), values=fields.Integer(), attribute="by_status"
    )


class CampaignsReportSchema(ReportSchema):
    campaigns = fields.List(fields.Nested(ReportedSchema), attribute="items")
    reports = fields.List(fields.Nested(CampaignFiguresSchema), attribute="items")
    totalCount = fields.Integer(attribute="total")  # noqa: N815
    campaignStats = fields.Nested(CampaignStatsSchema, attribute="itself")  # noqa: N815
    topPerformers = fields.List(fields.Nested(TopPerformerSchema), attribute="top")  # noqa: N815
    trends = fields.List(fields.Nested(MessagesOnDaySchema))
    statusBreakdown = fields.List(  # noqa: N815
        fields.Nested(StatusCountSchema), attribute="status_breakdown"
    )
    pagination = fields.Nested(PaginationSchema)


class AnalyticsSchema(AnswerSchema):
    sent = fields.Integer(attribute="counts.accepted")
    delivered = fields.Integer(attribute="counts.delivered")
    failed = fields.Integer()
    deliveryRate = fields.Float(attribute="delivery_rate")  # noqa: N815


class ReachedRecipientsSchema(AnswerSchema):
    """Of those who were texted: who has since opted out by it, and who has not."""

    total = fields.Integer(attribute="counts.recipients")
    optedIn = fields.Integer(attribute="still_in")  # noqa: N815
    optedOut = fields.Integer(attribute="counts.opted_out")  # noqa: N815


class ReportedCampaignSchema(AnswerSchema):
    id = fields.Id(attribute="campaign.id")
    name = fields.String(attribute="campaign.name")
    status = fields.String()
    scheduleType = fields.String(attribute="campaign.schedule_type")  # noqa: N815
    createdAt = fields.Instant(attribute="campaign.created_at")  # noqa: N815
    updatedAt = fields.Instant(attribute="campaign.updated_at")  # noqa: N815


class CampaignReportSchema(AnswerSchema):
    campaign = fields.Nested(ReportedCampaignSchema, attribute="reported")
    analytics = fields.Nested(AnalyticsSchema, attribute="itself")
    recipientAnalytics = fields.Nested(ReachedRecipientsSchema, attribute="itself")  # noqa: N815
    trends = fields.List(fields.Nested(MessagesOnDaySchema))
    creditsUsed = fields.Integer(attribute="credits")  # noqa: N815
    dateRange = fields.Nested(DateRangeSchema, attribute="days.window.shown")  # noqa: N815


class AutomationsSummarySchema(AnswerSchema):
    totalTriggered = fields.Integer(attribute="triggered")  # noqa: N815
    totalActive = fields.Integer(attribute="active_count")  # noqa: N815
    totalInactive = fields.Integer(attribute="inactive")  # noqa: N815
    completionRate = fields.Float(attribute="figures.delivery_rate")  # noqa: N815


class TypeCountSchema(AnswerSchema):
    type = fields.String()
    count = fields.Integer()


class TriggeredSchema(AnswerSchema):
    date = fields.Date(attribute="on")
    triggered = fields.Integer(attribute="figures.sent")


class ActiveAutomationSchema(AnswerSchema):
    id = fields.Id()
    title = fields.String()
    triggerEvent = fields.String(attribute="trigger_event")  # noqa: N815
    isActive = fields.Boolean(attribute="is_active")  # noqa: N815
    userMessage = fields.String(attribute="user_message", allow_none=True)  # noqa: N815


class AutomationsReportSchema(ReportSchema):
    summary = fields.Nested(AutomationsSummarySchema, attribute="itself")
    statusBreakdown = fields.List(  # noqa: N815
        fields.Nested(StatusCountSchema), attribute="status_breakdown"
    )
    typeBreakdown = fields.List(fields.Nested(TypeCountSchema), attribute="type_breakdown")  # noqa: N815
    trends = fields.List(fields.Nested(TriggeredSchema))
    activeAutomations = fields.List(fields.Nested(ActiveAutomationSchema), attribute="active")  # noqa: N815


class DirectionsSchema(AnswerSchema):
    inbound = fields.Integer()
    outbound = fields.Integer(attribute="figures.sent")


class OutcomesSchema(AnswerSchema):
    sent = fields.Integer()
    delivered = fields.Integer()
    failed = fields.Integer(attribute="not_reached")


class MessagingReportSchema(ReportSchema):
    totalMessages = fields.Integer(attribute="total")  # noqa: N815
    byDirection = fields.Nested(DirectionsSchema, attribute="itself")  # noqa: N815
    byStatus = fields.Nested(OutcomesSchema, attribute="figures")  # noqa: N815
    trends = fields.List(fields.Nested(MessagesOnDaySchema))


class CreditsSummarySchema(AnswerSchema):
    """`totalCredits` is what there was to use: what is left and what was used."""

    totalCredits = fields.Integer(attribute="total")  # noqa: N815
    usedCredits = fields.Integer(attribute="used")  # noqa: N815
    remainingCredits = fields.Integer(attribute="wallet")  # noqa: N815
    avgDailyUsage = fields.Float(attribute="average")  # noqa: N815
    totalPurchases = fields.Integer(attribute="purchase_count")  # noqa: N815


class CreditUseSchema(AnswerSchema):
    type = fields.String()
    count = fields.Integer()
    percentage = fields.Float()


class CreditsOnDaySchema(AnswerSchema):
    date = fields.Date(attribute="on")
    creditsUsed = fields.Integer(attribute="figures.credits")  # noqa: N815


class ReportedPurchaseSchema(AnswerSchema):
    id = fields.Id()
    creditsAdded = fields.Integer(attribute="credits_added")  # noqa: N815
    amount = fields.Float()
    currency = fields.String()
    packageType = fields.String(attribute="package_type")  # noqa: N815
    createdAt = fields.Instant(attribute="created_at")  # noqa: N815


class CreditsReportSchema(ReportSchema):
    summary = fields.Nested(CreditsSummarySchema, attribute="itself")
    usageBreakdown = fields.List(fields.Nested(CreditUseSchema), attribute="breakdown")  # noqa: N815
    trends = fields.List(fields.Nested(CreditsOnDaySchema))
    recentPurchases = fields.List(fields.Nested(ReportedPurchaseSchema), attribute="recent_purchases")  # noqa: N815


class ContactsSummarySchema(AnswerSchema):
    totalContacts = fields.Integer(attribute="people.total")  # noqa: N815
    optedInContacts = fields.Integer(attribute="people.opted_in")  # noqa: N815
    optedOutContacts = fields.Integer(attribute="people.opted_out")  # noqa: N815
    consentRate = fields.Float(attribute="people.consent_rate")  # noqa: N815
    birthdayContacts = fields.Integer(attribute="people.with_birth_date")  # noqa: N815
    recentContacts = fields.Integer(attribute="recent")  # noqa: N815
    engagedContacts = fields.Integer(attribute="engaged")  # noqa: N815
    engagementRate = fields.Float(attribute="engagement_rate")  # noqa: N815


class GenderShareSchema(AnswerSchema):
    gender = fields.String()
    count = fields.Integer()
    percentage = fields.Float()


class ConsentBreakdownSchema(AnswerSchema):
    opted_in = fields.Integer()
    opted_out = fields.Integer()
    unknown_consent = fields.Integer(attribute="unknown", data_key="unknown")


class ContactsReportSchema(ReportSchema):
    summary = fields.Nested(ContactsSummarySchema, attribute="itself")
    genderDistribution = fields.List(fields.Nested(GenderShareSchema), attribute="genders")  # noqa: N815
    consentBreakdown = fields.Nested(ConsentBreakdownSchema, attribute="people")  # noqa: N815


class ReportExportSchema(AnswerSchema):
    """`csv` only when it was asked for."""

    exportData = fields.Dict(attribute="report")  # noqa: N815
    csv = fields.String()
    format = fields.String(attribute="file_format")
    reportType = fields.String(attribute="report_type")  # noqa: N815
    generatedAt = fields.Instant(attribute="generated_at")  # noqa: N815
    expiresAt = fields.Instant(attribute="expires_at")  # noqa: N815

    @ma.post_dump
    def leave_out_csv(self, answer: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {key: value for key, value in answer.items() if not (key == "csv" and value is None)}
