"""Previews: what a campaign would say, reach and cost."""

from __future__ import annotations

from app.campaigns.schemas.figures import AnswerSchema
from app.core.http import fields


class ReplacementSchema(AnswerSchema):
    original = fields.String(data_key="from")
    replacement = fields.String(data_key="to")
    count = fields.Integer()


class SmartEncodingSchema(AnswerSchema):
    applied = fields.Boolean()
    replaced = fields.List(fields.Nested(ReplacementSchema))
    parts_before = fields.Integer(data_key="partsBefore")
    parts_after = fields.Integer(data_key="partsAfter")


class ExcludedSchema(AnswerSchema):
    opted_out = fields.Integer(data_key="optedOut")
    unknown_consent = fields.Integer(data_key="unknownConsent")
    suppressed = fields.Integer()
    over_price_cap = fields.Integer(
        data_key="overPriceCap", metadata={"description": "only where the shop has price caps"}
    )


class PreviewSchema(AnswerSchema):
    ok = fields.Boolean(attribute="quote.can_send")
    reason = fields.String(attribute="quote.reason", allow_none=True)
    message = fields.String(attribute="quote.message", allow_none=True)
    can_send = fields.Boolean(attribute="quote.can_send", data_key="canSend")
    errors = fields.Function(lambda one: [one.quote.message] if one.quote.message else [])
    recipient_count = fields.Integer(attribute="quote.price.recipients", data_key="recipientCount")
    estimated_cost = fields.Integer(attribute="quote.price.credits", data_key="estimatedCost")
    credits_required = fields.Integer(attribute="quote.price.credits", data_key="creditsRequired")
    available_credits = fields.Integer(attribute="quote.balance.wallet", data_key="availableCredits")
    remaining_allowance = fields.Integer(attribute="quote.balance.allowance", data_key="remainingAllowance")
    total_available = fields.Integer(attribute="quote.balance.available", data_key="totalAvailable")
    insufficient_credits = fields.Function(
        lambda one: one.quote.missing_credits > 0, data_key="insufficientCredits"
    )
    missing_credits = fields.Integer(attribute="quote.missing_credits", data_key="missingCredits")
    rendered_message = fields.String(attribute="rendered", data_key="renderedMessage")
    segments = fields.Integer(attribute="size.parts")
    encoding = fields.String(attribute="size.encoding")
    parts = fields.Dict(
        attribute="parts_histogram",
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": "parts of one message, and how many recipients get so many"},
    )
    unicode_recipients = fields.Integer(
        attribute="quote.price.unicode_recipients", data_key="unicodeRecipients"
    )
    forces_unicode = fields.String(data_key="forcesUnicode", allow_none=True)
    smart_encoding = fields.Nested(SmartEncodingSchema, attribute="smart", data_key="smartEncoding")
    excluded = fields.Nested(ExcludedSchema)
    unknown_tags = fields.List(fields.String(), data_key="unknownTags")
    shortened_to_fit = fields.Boolean(data_key="shortenedToFit")


class PreparedSchema(AnswerSchema):
    recipient_count = fields.Integer(attribute="price.recipients", data_key="recipientCount")
    credits_required = fields.Integer(attribute="price.credits", data_key="creditsRequired")
    credits_available = fields.Integer(attribute="balance.available", data_key="creditsAvailable")
    can_send = fields.Boolean(data_key="canSend")
