"""The revenue report. Money is in major units of its currency."""

from __future__ import annotations

from app.campaigns.schemas.figures import AnswerSchema
from app.core.http import fields
from app.reports.schemas.reports import ReportSchema


class TakingsSchema(AnswerSchema):
    """`total` is `attributed` and `unattributed` together, and so are the orders."""

    currency = fields.String()
    total = fields.Function(lambda one: one.total_cents / 100, metadata={"type": "number"})
    attributed = fields.Function(lambda one: one.attributed_cents / 100, metadata={"type": "number"})
    unattributed = fields.Function(lambda one: one.unattributed_cents / 100, metadata={"type": "number"})
    orders = fields.Integer()
    attributedOrders = fields.Integer(attribute="attributed_orders")  # noqa: N815
    unattributedOrders = fields.Integer(attribute="unattributed_orders")  # noqa: N815


class SellerSchema(AnswerSchema):
    """`name` is null for what has been deleted since."""

    id = fields.Id()
    name = fields.String(allow_none=True)
    currency = fields.String(attribute="sold.currency")
    revenue = fields.Function(lambda one: one.sold.cents / 100, metadata={"type": "number"})
    orders = fields.Integer(attribute="sold.orders")


class RevenueReportSchema(ReportSchema):
    currencies = fields.List(fields.Nested(TakingsSchema))
    campaigns = fields.List(fields.Nested(SellerSchema))
    automations = fields.List(fields.Nested(SellerSchema))
    attributionWindowDays = fields.Integer(attribute="attribution_window_days")  # noqa: N815
