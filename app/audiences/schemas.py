"""What audiences and segments take and give."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.core.http import PageQuery, Schema, fields
from app.core.http.pagination import PaginationSchema

MAX_CONTACT_IDS = 10_000
UNKNOWN = {"description": "contactIds that are not this shop's"}
INSTEAD_OF_RULE = {"description": "instead of `rule`", "x-in-examples": False}
RULE = {
    "description": 'Conditions {"field", "op", "value"} and nested rules under "all" or "any".',
    "type": "object",
    "example": {"all": [{"field": "age", "op": "between", "value": [18, 24]}]},
}


class AudienceSchema(Schema):
    id = fields.String(attribute="audience")
    name = fields.String()
    description = fields.String()
    type = fields.Function(lambda one: "predefined" if one.audience.segment_id is None else "segment")
    contact_count = fields.Integer(attribute="contacts", data_key="contactCount")
    is_available = fields.Boolean(data_key="isAvailable")
    segment_id = fields.Id(attribute="audience.segment_id", data_key="segmentId")

    @ma.post_dump
    def only_segments_have_an_id(self, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {key: value for key, value in body.items() if value is not None}


class AudienceSummarySchema(Schema):
    total = fields.Integer()
    men = fields.Integer()
    women = fields.Integer()
    segments = fields.Integer()


class AudienceListSchema(Schema):
    audiences = fields.List(fields.Nested(AudienceSchema))
    total_contacts = fields.Integer(attribute="summary.total", data_key="totalContacts")
    summary = fields.Nested(AudienceSummarySchema)


class DetailsQuery(PageQuery):
    default_page_size = 50


class AudienceContactSchema(Schema):
    id = fields.Id()
    phone = fields.String(data_key="phoneE164")
    first_name = fields.String(data_key="firstName", allow_none=True)
    last_name = fields.String(data_key="lastName", allow_none=True)
    email = fields.String(allow_none=True)
    gender = fields.String(allow_none=True)
    created_at = fields.Instant(data_key="createdAt")


class AudienceDetailsSchema(Schema):
    audience_id = fields.String(data_key="audienceId")
    contacts = fields.List(fields.Nested(AudienceContactSchema), attribute="items", dump_only=True)
    items = fields.List(fields.Nested(AudienceContactSchema), dump_only=True)
    pagination = fields.Nested(PaginationSchema)


class AudienceToValidate(Schema):
    audience_id = fields.Raw(
        required=True, data_key="audienceId", metadata={"description": "all, men, women or segment:<id>"}
    )


class ValidationSchema(Schema):
    audience_id = fields.String(data_key="audienceId")
    is_valid = fields.Function(lambda one: one.error is None, data_key="isValid")
    contact_count = fields.Integer(attribute="contacts", data_key="contactCount")
    error = fields.String(allow_none=True)


class SegmentSchema(Schema):
    id = fields.Id(attribute="segment.id")
    key = fields.String(attribute="segment.key", allow_none=True)
    name = fields.String(attribute="segment.name")
    type = fields.String(attribute="segment.kind")
    criteria = fields.Raw(dump_only=True, allow_none=True)
    criteria_json = fields.Raw(attribute="criteria", data_key="criteriaJson", dump_only=True, allow_none=True)
    rule = fields.Raw(attribute="segment.rule", allow_none=True, metadata=RULE)
    is_active = fields.Boolean(attribute="segment.is_active", data_key="isActive")
    created_at = fields.Instant(attribute="segment.created_at", data_key="createdAt")
    updated_at = fields.Instant(attribute="segment.updated_at", data_key="updatedAt")
    estimated_count = fields.Integer(data_key="estimatedCount")


class SavedSegmentSchema(SegmentSchema):
    unknown_ids = fields.List(fields.Id(), attribute="unknown", data_key="unknown", metadata=UNKNOWN)


class SegmentListSchema(Schema):
    segments = fields.List(fields.Nested(SegmentSchema))
    total = fields.Integer()


class SegmentPreviewSchema(Schema):
    segment_id = fields.Id(attribute="segment.id", data_key="segmentId")
    estimated_count = fields.Integer(data_key="estimatedCount")


class Name(fields.String):
    """Text without blanks around it, 1 to 100 characters."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        name: str = super()._deserialize(value, *args, **kwargs).strip()
        if not 1 <= len(name) <= 100:
            raise ma.ValidationError("must have 1 to 100 characters")
        return name


def ids_of_contacts(**kwargs: Any) -> fields.List[int]:
    """A field of contact ids."""
    longest = ma.validate.Length(max=MAX_CONTACT_IDS)
    return fields.List(fields.Id(), data_key="contactIds", validate=longest, **kwargs)


class SegmentIn(Schema):
    name = Name(required=True)
    rule = fields.Raw(load_default=None, allow_none=True, metadata=RULE)
    contact_ids = ids_of_contacts(load_default=None, allow_none=True, metadata=INSTEAD_OF_RULE)


class SegmentChange(Schema):
    name = Name(load_default=None)
    rule = fields.Raw(load_default=None, allow_none=True, metadata=RULE)
    contact_ids = ids_of_contacts(load_default=None, allow_none=True, metadata=INSTEAD_OF_RULE)
    is_active = fields.Boolean(load_default=None, data_key="isActive")


class MembersIn(Schema):
    contact_ids = ids_of_contacts(required=True)


class MembersChangedSchema(Schema):
    segment_id = fields.Id(data_key="segmentId")
    changed = fields.Integer(metadata={"description": "how many came or went"})
    unknown_ids = fields.List(fields.Id(), attribute="unknown", data_key="unknown", metadata=UNKNOWN)
    estimated_count = fields.Integer(data_key="estimatedCount")
