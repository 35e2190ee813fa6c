"""What campaign routes take, with the habits of both clients allowed for."""

from __future__ import annotations

import re
from typing import Any

import marshmallow as ma

from app.campaigns.models import Priority, ScheduleType
from app.campaigns.queries import SORTABLE
from app.core.http import PageQuery, Schema, fields

NAME_MAX, MESSAGE_MAX, SHORT_MAX = 200, 1600, 200
# A name of 3 to 11 letters and digits that is no number, or a number in full.
SENDER = re.compile(r"(?=[0-9]*[A-Za-z])[A-Za-z0-9]{3,11}|[+][1-9][0-9]{1,14}")
AUDIENCE = {"description": 'all, men, women, segment:<id>, or {"type", "segmentId"}', "example": "all"}
MOMENT = {
    "description": "ISO 8601; without a zone it is the time in the shop's zone",
    "example": "2030-01-31T18:00",
}
# What a campaign keeps under `meta`, by the name that clients use.
META = {
    "include_discount": "includeDiscount",
    "discount_value": "discountValue",
    "discount_code": "discountCode",
    "discount_pool_id": "discountPoolId",
    "sender_id": "senderId",
    "smart_encoding": "smartEncoding",
    "compress_greek": "compressGreek",
}


class Trimmed(fields.String):
    """Text without blanks around it, 1 to `longest` characters."""

    def __init__(self, longest: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text: str = super()._deserialize(value, attr, data, **kwargs).strip()
        if not 1 <= len(text) <= self.longest:
            raise ma.ValidationError(f"must have 1 to {self.longest} characters")
        return text


class Blankable(fields.String):
    """Text that may be absent: "" and null are None."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_none=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs).strip()
        if len(text) > SHORT_MAX:
            raise ma.ValidationError(f"must not have more than {SHORT_MAX} characters")
        return text or None


def one_of(words: type[ScheduleType] | type[Priority]) -> ma.validate.OneOf:
    return ma.validate.OneOf([word.value for word in words])


def days(**kwargs: Any) -> fields.Integer:
    within = ma.validate.Range(1, 365)
    return fields.Integer(strict=True, allow_none=True, data_key="recurringDays", validate=within, **kwargs)


class Timed(Schema):
    """A body with `scheduleAt`, also written `scheduledAt`."""

    schedule_at = Blankable(data_key="scheduleAt", metadata=MOMENT)

    @ma.pre_load
    def read_alias(self, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        if body.get("scheduleAt") is None and body.get("scheduledAt") is not None:
            return {**body, "scheduleAt": body["scheduledAt"]}
        return body


class CampaignChanges(Timed):
    """Any of a campaign's fields: what is absent stays."""

    name = Trimmed(NAME_MAX)
    message = Trimmed(MESSAGE_MAX)
    audience = fields.Raw(metadata=AUDIENCE)
    discount_id = Blankable(data_key="discountId")
    schedule_type = fields.String(data_key="scheduleType", validate=one_of(ScheduleType))
    recurring_days = days()
    priority = fields.String(validate=one_of(Priority))
    include_discount = fields.Boolean(data_key="includeDiscount", allow_none=True)
    discount_value = Blankable(data_key="discountValue")
    discount_code = Blankable(data_key="discountCode")
    discount_pool_id = Blankable(
        data_key="discountPoolId",
        metadata={"description": "give everybody a code of this pool", "x-in-examples": False},
    )
    sender_id = Blankable(data_key="senderId")
    smart_encoding = fields.Boolean(data_key="smartEncoding", allow_none=True)
    compress_greek = fields.Boolean(data_key="compressGreek", allow_none=True)

    @ma.validates("sender_id")
    def check_sender(self, sender: str | None, **_: Any) -> None:
        if sender and not SENDER.fullmatch(sender):
            raise ma.ValidationError("must be 3 to 11 letters and digits, or a number such as +306900000000")

    @ma.post_load
    def gather_meta(self, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        body["meta"] = {META[name]: body.pop(name) for name in META if name in body}
        return body


class CampaignIn(CampaignChanges):
    name = Trimmed(NAME_MAX, required=True)
    message = Trimmed(MESSAGE_MAX, required=True)
    audience = fields.Raw(load_default="all", metadata=AUDIENCE)
    priority = fields.String(load_default=Priority.NORMAL, validate=one_of(Priority))


class ScheduleIn(Timed):
    schedule_type = fields.String(
        data_key="scheduleType",
        load_default=ScheduleType.SCHEDULED,
        validate=ma.validate.OneOf([ScheduleType.SCHEDULED.value, ScheduleType.RECURRING.value]),
    )
    recurring_days = days()


class EnqueueIn(Schema):
    """The quote that the price must keep to; nothing without one."""

    any_body = True  # clients that know of no quotes send what they like
    quote_id = fields.Id(
        data_key="quoteId", allow_none=True, load_default=None, metadata={"type": "string", "example": "1"}
    )


class TestIn(Schema):
    phone = fields.String(required=True, data_key="phoneE164")


class CampaignQuery(PageQuery):
    status = fields.String(metadata={"description": "completed and sent mean the same"})
    search = fields.String()
    q = fields.String(metadata={"description": "alias of search"})
    sort_by = fields.String(
        data_key="sortBy", load_default="createdAt", validate=ma.validate.OneOf(list(SORTABLE))
    )
    sort_order = fields.String(
        data_key="sortOrder", load_default="desc", validate=ma.validate.OneOf(["asc", "desc"])
    )

    @ma.post_load
    def read_alias(self, query: dict[str, Any], **_: Any) -> dict[str, Any]:
        alias = query.pop("q", None)
        query["search"] = query.get("search") or alias
        return query


class FailedQuery(PageQuery):
    page_size = fields.Integer(data_key="pageSize", load_default=None, validate=ma.validate.Range(1, 500))
    limit = fields.Integer(load_default=None, validate=ma.validate.Range(1, 500))
    default_page_size = 100


class StaleQuery(Schema):
    stale_minutes = fields.Integer(
        data_key="staleMinutes", load_default=15, validate=ma.validate.Range(1, 10_080)
    )
