"""What the public forms take and give."""

from __future__ import annotations

import re
from typing import Any

import marshmallow as ma

from app.contacts import values
from app.contacts.schemas import GENDERS, Choice, Cleaned
from app.core.http import Schema, fields
from app.shops.domains import normalise_domain

DEFAULT_SOURCE = "theme-banner"
SOURCE = re.compile(r"[A-Za-z0-9_-]{1,40}")


def _is_short_word(source: str) -> None:
    if not SOURCE.fullmatch(source):
        raise ma.ValidationError("must be at most 40 letters, digits, hyphens and underscores")


class Consented(fields.Boolean):
    """true and nothing that resembles it: consent is a clear act."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value is not True:
            raise ma.ValidationError("must be true: without consent there are no texts")
        return True


class ShopDomain(fields.String):
    """A myshopify.com domain."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        domain = normalise_domain(super()._deserialize(value, attr, data, **kwargs))
        if domain is None:
            raise ma.ValidationError("must be a myshopify.com domain")
        return domain


class OptInSchema(Schema):
    """The form of the storefront. `consentText` is the wording that was shown, `pageUrl` where."""

    phone = fields.String(required=True, validate=ma.validate.Length(max=40))
    consent = Consented(required=True)
    shop_domain = ShopDomain(data_key="shopDomain", required=True)
    first_name = Cleaned(values.clean_name, data_key="firstName")
    last_name = Cleaned(values.clean_name, data_key="lastName")
    gender = Choice(GENDERS)
    birthday = fields.String(allow_none=True)
    source = fields.String(load_default=DEFAULT_SOURCE, validate=_is_short_word)
    wording = fields.String(data_key="consentText", allow_none=True, validate=ma.validate.Length(max=1000))
    page_url = fields.String(
        data_key="pageUrl", allow_none=True, load_default=None, validate=ma.validate.Length(max=2000)
    )

    @ma.post_load
    def leave_out_consent(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        del given["consent"]  # it is true, or nothing had been loaded
        return given


class ReceivedSchema(Schema):
    """What was sent, again. It says nothing about what was known before."""

    reference = fields.String(data_key="contactId", metadata={"description": "the same for known numbers"})
    phone = fields.String()
    consent = fields.String(data_key="smsConsent", metadata={"description": "what the form has stated"})
    first_name = fields.String(data_key="firstName", allow_none=True)
    last_name = fields.String(data_key="lastName", allow_none=True)
    birthday = fields.Date(allow_none=True)
    gender = fields.String(allow_none=True)


class EnquiryIn(Schema):
    """The contact form. `website` is hidden from people: whoever fills it in is a machine."""

    name = Cleaned(values.clean_name, required=True)
    email = Cleaned(values.clean_email, required=True)
    message = fields.String(required=True, validate=ma.validate.Length(max=2000))
    website = fields.Raw(load_default=None, allow_none=True)

    @ma.validates_schema(skip_on_field_errors=False)
    def require_words(self, given: dict[str, Any], **_: Any) -> None:
        for name in ("name", "email"):
            if name in given and not given[name]:
                raise ma.ValidationError("is required", name)
        if "message" in given and len(given["message"].strip()) < 10:
            raise ma.ValidationError("must have at least 10 characters", "message")

    @ma.post_load
    def tell_machines(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**given, "message": given["message"].strip(), "website": bool(given["website"])}


class EnquirySchema(Schema):
    message = fields.String()
    submitted = fields.Boolean()
