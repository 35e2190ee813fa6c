"""Quotes: what a campaign costs at most, and why."""

from __future__ import annotations

from app.campaigns.schemas.figures import AnswerSchema
from app.campaigns.schemas.previews import ReplacementSchema
from app.core.http import fields


class CountryPriceSchema(AnswerSchema):
    country = fields.String(metadata={"description": "ISO code of the phone's country; ZZ: unknown"})
    recipients = fields.Integer()
    credits = fields.Integer()


class ExclusionSchema(AnswerSchema):
    reason = fields.String(
        metadata={
            "enum": ["opted_out", "unknown_consent", "suppressed", "over_price_cap", "already_texted"],
        }
    )
    count = fields.Integer()


class SmartSavingSchema(AnswerSchema):
    enabled = fields.Boolean(attribute="is_on")
    credits_with = fields.Integer(data_key="creditsWith")
    credits_without = fields.Integer(data_key="creditsWithout")
    saved = fields.Integer(data_key="creditsSaved")
    replaced = fields.List(fields.Nested(ReplacementSchema), attribute="wording.smart.replaced")


class PlaceSchema(AnswerSchema):
    line = fields.Integer()
    column = fields.Integer()


class CharacterCostSchema(AnswerSchema):
    """One character; `credits` are saved when it is replaced wherever it stands in the campaign's text."""

    character = fields.String(attribute="dear.character")
    code_points = fields.String(data_key="codePoints")
    replacement = fields.String(attribute="dear.replacement")
    forces_unicode = fields.Boolean(attribute="dear.forces_unicode", data_key="forcesUnicode")
    line = fields.Function(lambda one: one.dear.places[0].line, metadata={"type": "integer"})
    column = fields.Function(lambda one: one.dear.places[0].column, metadata={"type": "integer"})
    places = fields.List(fields.Nested(PlaceSchema), attribute="dear.places")
    credits = fields.Integer()
    message = fields.String()


class QuoteSchema(AnswerSchema):
    id = fields.Id(attribute="row.id")
    campaign_id = fields.Id(attribute="row.campaign_id", data_key="campaignId")
    created_at = fields.Instant(attribute="row.created_at", data_key="createdAt")
    expires_at = fields.Instant(attribute="row.expires_at", data_key="expiresAt")
    credits = fields.Integer(attribute="row.credits", metadata={"description": "the most it can cost"})
    recipients = fields.Integer(attribute="row.recipients")
    parts = fields.Dict(
        attribute="parts_histogram",
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": "parts of one message, and how many recipients get so many"},
    )
    countries = fields.List(fields.Nested(CountryPriceSchema))
    excluded = fields.List(fields.Nested(ExclusionSchema))
    encoding = fields.String()
    unicode_recipients = fields.Integer(
        attribute="offer.price.unicode_recipients", data_key="unicodeRecipients"
    )
    smart_encoding = fields.Nested(SmartSavingSchema, attribute="savings.smart", data_key="smartEncoding")
    characters = fields.List(fields.Nested(CharacterCostSchema))
    characters_together = fields.Integer(
        attribute="savings.together",
        data_key="creditsSavedByPlainText",
        metadata={"description": "when every character that forces Unicode is replaced"},
    )
    total_available = fields.Integer(attribute="offer.balance.available", data_key="totalAvailable")
    missing_credits = fields.Integer(attribute="offer.missing_credits", data_key="missingCredits")
    can_send = fields.Boolean(attribute="offer.can_send", data_key="canSend")
    reason = fields.String(attribute="offer.reason", allow_none=True)
