"""What templates take and give. Both clients' names for a text are given: title is name, content is text."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.core.http import PageQuery, Schema, fields, page_schema
from app.shops.models import EshopType
from app.templates.queries import TemplateFilter

MAX_OFFSET = 100_000_000
KEY = ma.validate.Regexp(r"^[a-z0-9_]+(?![\s\S])", error="may contain a-z, 0-9 and _ only")
PREVIEW = {"example": "https://cdn.example.com/preview.png"}


def eshop_type_field(**kwargs: Any) -> fields.String:
    """A field of one type of shop."""
    words = ma.validate.OneOf([*EshopType], error="must be one of {choices}")
    return fields.String(data_key="eshopType", validate=words, **kwargs)


class Words(fields.String):
    """Text without blanks around it, of 1 to `longest` characters."""

    def __init__(self, longest: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.longest = longest

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        words: str = super()._deserialize(value, *args, **kwargs).strip()
        if not 1 <= len(words) <= self.longest:
            raise ma.ValidationError(f"must have 1 to {self.longest} characters")
        return words


class OffsetQuery(PageQuery):
    """As PageQuery, and `offset` for the client that counts rows. Load gives offset, page_size."""

    page = fields.Integer(load_default=None, validate=ma.validate.Range(1, 1_000_000))
    offset = fields.Integer(load_default=0, validate=ma.validate.Range(0, MAX_OFFSET))

    default_page_size = 50

    @ma.post_load
    def settle_size(self, query: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        query = super().settle_size(query, **kwargs)
        page = query.pop("page")
        if page is not None:  # one client sends all four: the page wins
            query["offset"] = (page - 1) * query["page_size"]
        chosen = {name: query.pop(name, None) for name in ("eshop_type", "category", "search")}
        return {
            "wanted": TemplateFilter(**chosen),
            "offset": query["offset"],
            "page_size": query["page_size"],
        }


class TemplatesQuery(OffsetQuery):
    eshop_type = eshop_type_field(
        load_default=None, metadata={"description": "templates for this type of shop; generic: for any"}
    )
    category = fields.String(load_default=None)
    search = fields.String(load_default=None)
    language = fields.String(load_default="en", validate=ma.validate.Equal("en"))


class SharedTemplatesQuery(OffsetQuery):
    category = fields.String(load_default=None)
    search = fields.String(load_default=None)


class DefaultsIn(Schema):
    eshop_type = eshop_type_field(load_default=None, allow_none=True)


class TemplateSchema(Schema):
    id = fields.Id(attribute="template.id")
    name = fields.String(attribute="template.title", dump_only=True)
    title = fields.String(attribute="template.title")
    category = fields.String(attribute="template.category")
    text = fields.String(attribute="template.content", dump_only=True)
    content = fields.String(attribute="template.content")
    language = fields.Constant("en")
    goal = fields.String(attribute="template.goal", allow_none=True)
    suggested_metrics = fields.String(
        attribute="template.suggested_metrics", data_key="suggestedMetrics", allow_none=True
    )
    eshop_type = fields.String(attribute="template.eshop_type", data_key="eshopType")
    preview_image = fields.String(
        attribute="template.preview_image", data_key="previewImage", allow_none=True
    )
    tags = fields.List(fields.String(), attribute="template.tags")
    use_count = fields.Integer(data_key="useCount")
    # Percentages that nobody measures yet: null, because an invented figure would be believed.
    conversion_rate = fields.Float(data_key="conversionRate", dump_default=None, allow_none=True)
    product_views_increase = fields.Float(data_key="productViewsIncrease", dump_default=None, allow_none=True)
    click_through_rate = fields.Float(data_key="clickThroughRate", dump_default=None, allow_none=True)
    average_order_value = fields.Float(data_key="averageOrderValue", dump_default=None, allow_none=True)
    customer_retention = fields.Float(data_key="customerRetention", dump_default=None, allow_none=True)
    created_at = fields.Instant(attribute="template.created_at", data_key="createdAt")
    updated_at = fields.Instant(attribute="template.updated_at", data_key="updatedAt")


TemplatePageSchema = page_schema(TemplateSchema, "templates", categories=fields.List(fields.String()))


class DefaultsSchema(Schema):
    created = fields.Integer()
    updated = fields.Integer()
    repaired = fields.Integer(metadata={"description": "texts of the shop's own, left as they are"})
    skipped = fields.Integer()
    total = fields.Integer()
    message = fields.String()


class OwnTemplateChange(Schema):
    title = Words(100)
    content = Words(1600)


class SharedTemplateSchema(TemplateSchema):
    key = fields.String(attribute="template.key", data_key="templateKey", allow_none=True)
    is_public = fields.Boolean(attribute="template.is_public", data_key="isPublic")
    version = fields.Integer(attribute="template.version")


SharedTemplatePageSchema = page_schema(SharedTemplateSchema, "templates")


class SharedTemplateChange(OwnTemplateChange):
    category = Words(100)
    goal = Words(200, allow_none=True)
    suggested_metrics = Words(500, data_key="suggestedMetrics", allow_none=True)
    preview_image = fields.Url(
        data_key="previewImage",
        schemes={"https"},
        validate=ma.validate.Length(max=2048),
        allow_none=True,
        metadata=PREVIEW,
    )
    tags = fields.List(Words(50), validate=ma.validate.Length(max=20))
    is_public = fields.Boolean(data_key="isPublic")


class SharedTemplateIn(SharedTemplateChange):
    title = Words(100, required=True)
    category = Words(100, required=True)
    content = Words(1600, required=True)
    eshop_type = eshop_type_field(load_default=EshopType.GENERIC)
    key = fields.String(
        data_key="templateKey",
        validate=[
            ma.validate.Length(1, 100),
            KEY,
        ],
        metadata={"example": "spring_sale"},
    )


class TemplateWordsSchema(Schema):
    id = fields.Id()
    title = fields.String()
    category = fields.String()
    content = fields.String()


class UseFiguresSchema(Schema):
    times_used = fields.Integer(data_key="timesUsed")
    unique_shops = fields.Integer(data_key="uniqueShops")


class TemplateStatsSchema(Schema):
    template = fields.Nested(TemplateWordsSchema)
    stats = fields.Function(UseFiguresSchema().dump)
    metrics: fields.Constant[Any] = fields.Constant({})


class TemplateVersionSchema(Schema):
    version = fields.Integer()
    title = fields.String()
    category = fields.String()
    content = fields.String()
    goal = fields.String(allow_none=True)
    suggested_metrics = fields.String(data_key="suggestedMetrics", allow_none=True)
    created_at = fields.Instant(data_key="createdAt")


class TemplateVersionsSchema(Schema):
    template_id = fields.Id(data_key="templateId")
    versions = fields.List(fields.Nested(TemplateVersionSchema))
