"""The overview and the KPIs. One client reads each section's summary flat, the other under `summary`."""

from __future__ import annotations

from app.campaigns.schemas.figures import AnswerSchema
from app.core.http import fields
from app.reports.schemas.reports import (
    AutomationsSummarySchema,
    ContactsSummarySchema,
    CreditsSummarySchema,
    MessagesOnDaySchema,
    ReportSchema,
    StatusCountSchema,
    TopPerformerSchema,
)


class CampaignSummarySchema(AnswerSchema):
    totalCampaigns = fields.Integer(attribute="campaigns.total")  # noqa: N815
    activeCampaigns = fields.Integer(attribute="active_campaigns")  # noqa: N815
    totalMessages = fields.Integer(attribute="campaigns.total_figures.sent")  # noqa: N815
    totalSent = fields.Integer(attribute="campaigns.total_figures.sent")  # noqa: N815
    delivered = fields.Integer(attribute="campaigns.total_figures.delivered")
    totalDelivered = fields.Integer(attribute="campaigns.total_figures.delivered")  # noqa: N815
    failed = fields.Integer(attribute="campaigns.total_figures.not_reached")
    totalFailed = fields.Integer(attribute="campaigns.total_figures.not_reached")  # noqa: N815
    deliveryRate = fields.Float(attribute="campaigns.total_figures.delivery_rate")  # noqa: N815
    creditsUsed = fields.Integer(attribute="campaigns.total_figures.credits")  # noqa: N815


class CampaignPerformanceSchema(CampaignSummarySchema):
    summary = fields.Nested(CampaignSummarySchema, attribute="itself")
    trends = fields.List(fields.Nested(MessagesOnDaySchema), attribute="campaigns.trends")
    statusBreakdown = fields.List(  # noqa: N815
        fields.Nested(StatusCountSchema), attribute="campaigns.status_breakdown"
    )
    topPerformers = fields.List(fields.Nested(TopPerformerSchema), attribute="campaigns.top")  # noqa: N815


class AutomationInsightsSchema(AutomationsSummarySchema):
    summary = fields.Nested(AutomationsSummarySchema, attribute="itself")


class CreditUsageSchema(CreditsSummarySchema):
    summary = fields.Nested(CreditsSummarySchema, attribute="itself")


class ContactInsightsSchema(ContactsSummarySchema):
    summary = fields.Nested(ContactsSummarySchema, attribute="itself")


class ShopTotalsSchema(AnswerSchema):
    totalCampaigns = fields.Integer(attribute="kpis.campaigns")  # noqa: N815
    totalContacts = fields.Integer(attribute="kpis.people.total")  # noqa: N815
    totalSmsSent = fields.Integer(attribute="figures.sent")  # noqa: N815
    deliveryRate = fields.Float(attribute="figures.delivery_rate")  # noqa: N815
    creditsRemaining = fields.Integer(attribute="kpis.credits")  # noqa: N815


class ActivitySchema(AnswerSchema):
    campaigns = fields.Integer()
    messages = fields.Integer()
    automations = fields.Integer()


class ShopHealthSchema(AnswerSchema):
    creditStatus = fields.String()  # noqa: N815
    contactGrowth = fields.String()  # noqa: N815
    automationHealth = fields.String()  # noqa: N815


class ReportsOverviewSchema(ReportSchema):
    overview = fields.Nested(ShopTotalsSchema, attribute="itself")
    campaignPerformance = fields.Nested(CampaignPerformanceSchema, attribute="itself")  # noqa: N815
    automationInsights = fields.Nested(AutomationInsightsSchema, attribute="automations")  # noqa: N815
    creditUsage = fields.Nested(CreditUsageSchema, attribute="credits")  # noqa: N815
    contactInsights = fields.Nested(ContactInsightsSchema, attribute="contacts")  # noqa: N815
    recentActivity = fields.Nested(ActivitySchema, attribute="kpis.recent_activity")  # noqa: N815
    health = fields.Nested(ShopHealthSchema, attribute="kpis.health")


class KpiFiguresSchema(AnswerSchema):
    totalCampaigns = fields.Integer(attribute="campaigns")  # noqa: N815
    totalContacts = fields.Integer(attribute="people.total")  # noqa: N815
    activeAutomations = fields.Integer(attribute="active_automations")  # noqa: N815
    creditsRemaining = fields.Integer(attribute="credits")  # noqa: N815


class KpisSchema(AnswerSchema):
    overview = fields.Nested(KpiFiguresSchema, attribute="itself")
    recentActivity = fields.Nested(ActivitySchema, attribute="recent_activity")  # noqa: N815
    health = fields.Nested(ShopHealthSchema)
