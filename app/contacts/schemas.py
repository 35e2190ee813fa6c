"""What contact routes take and give, with the habits of both clients allowed for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

import marshmallow as ma

from app.contacts import values
from app.contacts.models import Consent, ConsentSource, Gender
from app.contacts.queries import GROUPS, ContactFilter
from app.contacts.walking import SORTABLE
from app.core.http import PageQuery, Schema, fields, page_schema

GENDERS = [gender.value for gender in Gender]
CONSENTS = [consent.value for consent in Consent]
SOURCES = [source.value for source in ConsentSource]
FILTER_TAGS_MAX = 20
# One client's form sends this when its gender menu was not touched.
UNTOUCHED = "__not_specified__"
ALIASES = {"phone": "phoneE164", "birthday": "birthDate"}


class Cleaned(fields.String):
    """A text that `clean` trims and checks; nothing left is None."""

    def __init__(self, clean: Callable[[str], str | None], **kwargs: Any) -> None:
        super().__init__(allow_none=True, **kwargs)
        self.clean = clean

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return self.clean(super()._deserialize(value, attr, data, **kwargs))
        except ValueError as refusal:
            raise ma.ValidationError(str(refusal)) from None


class Choice(fields.String):
    """One of `words`; "" and the untouched menu are None."""

    def __init__(self, words: list[str], **kwargs: Any) -> None:
        super().__init__(allow_none=True, metadata={"enum": words}, **kwargs)
        self.words = words

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        word = super()._deserialize(value, attr, data, **kwargs)
        if word in ("", UNTOUCHED):
            return None
        if word not in self.words:
            raise ma.ValidationError(f"must be one of: {', '.join(self.words)}")
        return word


class Tags(fields.List[str]):
    """Tags trimmed and without repetitions; null is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fields.String(), allow_none=True, **kwargs)

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        read = super().deserialize(value, attr, data, **kwargs)
        if read is ma.missing:
            return read
        try:
            return values.clean_tags(read or [])
        except ValueError as refusal:
            raise ma.ValidationError(str(refusal)) from None


class ContactChanges(Schema):
    """Any of a contact's fields: what is absent stays, null clears."""

    phone = fields.String(data_key="phoneE164", allow_none=True)
    first_name = Cleaned(values.clean_name, data_key="firstName")
    last_name = Cleaned(values.clean_name, data_key="lastName")
    email = Cleaned(values.clean_email)
    gender = Choice(GENDERS)
    birth_date = fields.String(data_key="birthDate", allow_none=True)
    consent = Choice(CONSENTS, data_key="smsConsent")
    is_subscribed = fields.Boolean(data_key="isSubscribed", allow_none=True)
    tags = Tags()

    @ma.pre_load
    def accept_aliases(self, given: Any, **_: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        named = dict(given)
        for alias, name in ALIASES.items():
            if alias in named and named.get(name) is None:
                named[name] = named[alias]
        return named

    @ma.validates_schema
    def require_something(self, given: dict[str, Any], **_: Any) -> None:
        if not given:
            raise ma.ValidationError("names no field of a contact", "body")


class ContactIn(ContactChanges):
    """A new contact."""

    phone = fields.String(data_key="phoneE164", required=True)


class ContactSchema(Schema):
    id = fields.Id()
    phone = fields.String()
    phone_e164 = fields.String(attribute="phone", data_key="phoneE164", dump_only=True)
    email = fields.String(allow_none=True)
    first_name = fields.String(data_key="firstName", allow_none=True)
    last_name = fields.String(data_key="lastName", allow_none=True)
    gender = fields.String(allow_none=True, metadata={"enum": GENDERS})
    birthday = fields.Date(attribute="birth_date", allow_none=True, dump_only=True)
    birth_date = fields.Date(data_key="birthDate", allow_none=True)
    is_subscribed = fields.Boolean(data_key="isSubscribed")
    consent = fields.String(data_key="smsConsent", metadata={"enum": CONSENTS})
    sms_consent_status = fields.String(
        attribute="consent_status", data_key="smsConsentStatus", allow_none=True
    )
    consent_at = fields.Instant(data_key="smsConsentAt", allow_none=True)
    consent_status = fields.String(attribute="consent", data_key="consentStatus", dump_only=True)
    tags = fields.List(fields.String())
    has_purchased = fields.Boolean(data_key="hasPurchased")
    last_order_at = fields.Instant(data_key="lastOrderAt", allow_none=True)
    created_at = fields.Instant(data_key="createdAt")
    updated_at = fields.Instant(data_key="updatedAt")


class TagWords(fields.String):
    """Tags parted by commas; a tuple of them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        words = super()._deserialize(value, attr, data, **kwargs).split(",")
        try:
            tags = values.clean_tags(words)
        except ValueError as refusal:
            raise ma.ValidationError(str(refusal)) from None
        if len(tags) > FILTER_TAGS_MAX:
            raise ma.ValidationError(f"must not name more than {FILTER_TAGS_MAX} tags")
        return tuple(tags)


class Moment(fields.Instant):
    """An instant, or a day, which is its beginning in UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        is_day = isinstance(value, str) and values.DAY.fullmatch(value)
        try:
            told = f"{value}T00:00:00Z" if is_day else value
            return super()._deserialize(told, attr, data, **kwargs).astimezone(UTC)
        except OverflowError:
            raise ma.ValidationError("Not a valid instant.") from None


class ContactFilterQuery(Schema):
    """The filters of contacts. Load gives `wanted`, a ContactFilter."""

    q = fields.String(validate=ma.validate.Length(max=200))
    search = fields.String(validate=ma.validate.Length(max=200))
    consent = fields.String(data_key="smsConsent", validate=ma.validate.OneOf(CONSENTS))
    group = fields.String(data_key="filter", validate=ma.validate.OneOf(list(GROUPS)))
    gender = fields.String(validate=ma.validate.OneOf(GENDERS))
    has_birth_date = fields.Boolean(data_key="hasBirthDate")
    is_subscribed = fields.Boolean(data_key="isSubscribed")
    has_purchased = fields.Boolean(data_key="hasPurchased")
    last_order_before = Moment(data_key="lastOrderBefore", metadata={"description": "not included"})
    last_order_after = Moment(data_key="lastOrderAfter", metadata={"description": "included"})
    tags_any = TagWords(data_key="tagsAny", metadata={"description": "parted by commas"})
    tags_all = TagWords(data_key="tagsAll", metadata={"description": "parted by commas"})
    consent_source = fields.String(data_key="consentSource", validate=ma.validate.OneOf(SOURCES))
    created_from = Moment(data_key="createdFrom", metadata={"description": "included"})
    created_to = Moment(data_key="createdTo", metadata={"description": "not included"})
    list_id = fields.Id(data_key="listId")
    sort_by = fields.String(data_key="sortBy", validate=ma.validate.OneOf(list(SORTABLE)))
    sort_order = fields.String(data_key="sortOrder", validate=ma.validate.OneOf(["asc", "desc"]))

    @ma.validates_schema
    def refuse_ranges_that_end_before_they_begin(self, query: dict[str, Any], **_: Any) -> None:
        for first, last, name in (
            ("created_from", "created_to", "createdTo"),
            ("last_order_after", "last_order_before", "lastOrderBefore"),
        ):
            if first in query and last in query and query[first] >= query[last]:
                raise ma.ValidationError("must be later than the beginning of the range", name)

    @ma.post_load
    def gather_filter(self, query: dict[str, Any], **_: Any) -> dict[str, Any]:
        paging: dict[str, Any] = {
            key: query.pop(key) for key in ("page", "page_size", "limit", "cursor") if key in query
        }
        q = " ".join((query.pop("q", "") or query.pop("search", "")).split())
        query.pop("search", None)
        return {**paging, "wanted": ContactFilter(q=q or None, **query)}


class ContactQuery(ContactFilterQuery, PageQuery):
    """The filters of the list and its paging. Load gives page, page_size, cursor and `wanted`."""

    cursor = fields.String(
        validate=ma.validate.Length(max=1000),
        metadata={"description": "`nextCursor` of the page before; `page` is then not looked at"},
    )


class AppliedSchema(Schema):
    q = fields.String()
    consent = fields.String(data_key="smsConsent")
    group = fields.String(data_key="filter")
    gender = fields.String()
    has_birth_date = fields.Boolean(data_key="hasBirthDate")
    is_subscribed = fields.Boolean(data_key="isSubscribed")
    has_purchased = fields.Boolean(data_key="hasPurchased")
    last_order_before = fields.Instant(data_key="lastOrderBefore")
    last_order_after = fields.Instant(data_key="lastOrderAfter")
    tags_any = fields.List(fields.String(), data_key="tagsAny")
    tags_all = fields.List(fields.String(), data_key="tagsAll")
    consent_source = fields.String(data_key="consentSource")
    created_from = fields.Instant(data_key="createdFrom")
    created_to = fields.Instant(data_key="createdTo")
    list_id = fields.Id(data_key="listId")
    sort_by = fields.String(data_key="sortBy")
    sort_order = fields.String(data_key="sortOrder")

    @ma.post_dump
    def leave_out_unused(self, applied: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {key: value for key, value in applied.items() if value not in (None, [])}


class AvailableSchema(Schema):
    genders = fields.List(fields.String())
    sms_consent = fields.List(fields.String(), data_key="smsConsent")
    filters = fields.List(fields.String())


class FiltersSchema(Schema):
    applied = fields.Nested(AppliedSchema)
    available = fields.Nested(AvailableSchema)

    @ma.pre_dump
    def beside_what_there_is(self, applied: ContactFilter, **_: Any) -> dict[str, Any]:
        available = {"genders": GENDERS, "sms_consent": CONSENTS, "filters": list(GROUPS)}
        return {"applied": applied, "available": available}


ContactPageSchema = page_schema(
    ContactSchema,
    "contacts",
    nextCursor=fields.String(
        attribute="next_cursor", allow_none=True, metadata={"description": "null on the last page"}
    ),
    isTotalExact=fields.Boolean(
        attribute="is_total_exact",
        metadata={"description": "false when there may be more than `total`: nobody counts millions"},
    ),
    filters=fields.Nested(FiltersSchema, attribute="applied"),
)


class ConsentFiguresSchema(Schema):
    opted_in = fields.Integer(data_key="optedIn")
    opted_out = fields.Integer(data_key="optedOut")
    of_unknown = fields.Integer(attribute="unknown", data_key="unknown")


class ConsentShareSchema(ConsentFiguresSchema):
    consent_rate = fields.Float(data_key="consentRate", metadata={"description": "percent"})


class GenderFiguresSchema(Schema):
    male = fields.Integer()
    female = fields.Integer()
    other = fields.Integer()
    unspecified = fields.Integer()


class BirthDateFiguresSchema(Schema):
    with_birth_date = fields.Integer(data_key="withBirthDate")
    without_birth_date = fields.Integer(data_key="withoutBirthDate")
    birth_date_rate = fields.Float(data_key="birthDateRate", metadata={"description": "percent"})


class AutomationFiguresSchema(Schema):
    birthday_eligible = fields.Integer(data_key="birthdayEligible")
    sms_eligible = fields.Integer(attribute="opted_in", data_key="smsEligible")


class ContactStatsSchema(ConsentFiguresSchema):
    total = fields.Integer()
    sms_consent = fields.Nested(ConsentShareSchema, data_key="smsConsent")
    by_gender = fields.Nested(GenderFiguresSchema, data_key="byGender")
    gender = fields.Nested(GenderFiguresSchema)
    birth_date = fields.Nested(BirthDateFiguresSchema, data_key="birthDate")
    automation = fields.Nested(AutomationFiguresSchema)

    @ma.pre_dump
    def share_figures(self, figures: dict[str, Any], **_: Any) -> dict[str, Any]:
        groups = ("sms_consent", "by_gender", "gender", "birth_date", "automation")
        return {**figures, **dict.fromkeys(groups, figures)}


class BirthdayQuery(Schema):
    days_ahead = fields.Integer(data_key="daysAhead", load_default=7, validate=ma.validate.Range(1, 365))


class BirthdayContactSchema(Schema):
    id = fields.Id()
    first_name = fields.String(data_key="firstName", allow_none=True)
    last_name = fields.String(data_key="lastName", allow_none=True)
    phone = fields.String(data_key="phoneE164")
    email = fields.String(allow_none=True)
    birth_date = fields.Date(data_key="birthDate")


class BirthdaysSchema(Schema):
    days_ahead = fields.Integer(data_key="daysAhead")
    total = fields.Integer()
    count = fields.Integer()
    contacts = fields.List(fields.Nested(BirthdayContactSchema))


class SuppressionSchema(Schema):
    phone = fields.String()
    source = fields.String()
    created_at = fields.Instant(data_key="createdAt")


SuppressionPageSchema = page_schema(SuppressionSchema, "suppressions")


class SuppressIn(Schema):
    # Raw: one row that is not even text is reported like any other bad row.
    phones = fields.List(fields.Raw(allow_none=True), required=True, validate=ma.validate.Length(1, 1000))


class MergeIn(Schema):
    keep_id = fields.Id(data_key="keepId", required=True)
    merge_id = fields.Id(data_key="mergeId", required=True, metadata={"example": "43"})


class SuppressErrorSchema(Schema):
    row = fields.Integer()
    phone = fields.String()
    error = fields.String()


class SuppressedSchema(Schema):
    added = fields.Integer()
    already = fields.Integer()
    errors = fields.List(fields.Nested(SuppressErrorSchema))
