"""The dashboard as both clients read it."""

from __future__ import annotations

from app.campaigns.schemas.figures import AnswerSchema
from app.core.http import fields


class WeekSchema(AnswerSchema):
    sent = fields.Integer(attribute="total.sent")
    delivered = fields.Integer(attribute="total.delivered")
    failed = fields.Integer(attribute="total.not_reached")
    unsubscribes = fields.Integer(attribute="people.unsubscribed_since")


class TopCampaignSchema(AnswerSchema):
    id = fields.Id(attribute="campaign.id")
    name = fields.String(attribute="campaign.name")
    sent = fields.Integer(attribute="accepted")
    delivered = fields.Integer()
    failed = fields.Integer()
    createdAt = fields.Instant(attribute="campaign.created_at")  # noqa: N815


class DeliveryRateSchema(AnswerSchema):
    date = fields.Date(attribute="on")
    deliveredRate = fields.Float(attribute="figures.delivery_rate")  # noqa: N815


class CreditsDebitedSchema(AnswerSchema):
    date = fields.Date(attribute="on")
    creditsDebited = fields.Integer(attribute="figures.credits")  # noqa: N815


class DashboardReportsSchema(AnswerSchema):
    last7Days = fields.Nested(WeekSchema, attribute="week")  # noqa: N815
    topCampaigns = fields.List(fields.Nested(TopCampaignSchema), attribute="top_campaigns")  # noqa: N815
    deliveryRateTrend = fields.List(fields.Nested(DeliveryRateSchema), attribute="week.each")  # noqa: N815
    creditsUsage = fields.List(fields.Nested(CreditsDebitedSchema), attribute="week.each")  # noqa: N815


class DashboardSchema(AnswerSchema):
    credits = fields.Integer()
    totalCampaigns = fields.Integer(attribute="total_campaigns")  # noqa: N815
    totalContacts = fields.Integer(attribute="week.people.total")  # noqa: N815
    totalMessagesSent = fields.Integer(attribute="total_messages_sent")  # noqa: N815
    activeAutomations = fields.Integer(attribute="active_automations")  # noqa: N815
    reports = fields.Nested(DashboardReportsSchema, attribute="itself")


class SmsTotalsSchema(AnswerSchema):
    sent = fields.Integer(attribute="counts.accepted")
    delivered = fields.Integer(attribute="counts.delivered")
    failed = fields.Integer()
    deliveryRate = fields.Float(attribute="delivery_rate")  # noqa: N815


class ConsentCountsSchema(AnswerSchema):
    total = fields.Integer()
    optedIn = fields.Integer(attribute="opted_in")  # noqa: N815
    optedOut = fields.Integer(attribute="opted_out")  # noqa: N815


class WalletBalanceSchema(AnswerSchema):
    balance = fields.Integer(attribute="wallet")
    currency = fields.String()


class RecentMessageSchema(AnswerSchema):
    id = fields.Id(attribute="row.id")
    phoneE164 = fields.String(attribute="row.phone")  # noqa: N815
    status = fields.String()
    createdAt = fields.Instant(attribute="row.created_at")  # noqa: N815
    payload = fields.Dict()


class MovementSchema(AnswerSchema):
    id = fields.Id(attribute="row.id")
    type = fields.String()
    credits = fields.Integer(attribute="row.amount")
    createdAt = fields.Instant(attribute="row.created_at")  # noqa: N815
    meta = fields.Dict()


class DashboardOverviewSchema(AnswerSchema):
    sms = fields.Nested(SmsTotalsSchema, attribute="itself")
    contacts = fields.Nested(ConsentCountsSchema, attribute="people")
    wallet = fields.Nested(WalletBalanceSchema, attribute="itself")
    recentMessages = fields.List(fields.Nested(RecentMessageSchema), attribute="messages")  # noqa: N815
    recentTransactions = fields.List(fields.Nested(MovementSchema), attribute="movements")  # noqa: N815


class QuickStatsSchema(AnswerSchema):
    smsSent = fields.Integer(attribute="accepted")  # noqa: N815
    walletBalance = fields.Integer(attribute="wallet")  # noqa: N815
