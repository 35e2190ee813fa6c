"""The billing profile as W reads and writes it (contract §13)."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.core.http import Schema, fields
from app.payers.models import VatStatus
from app.payers.service.profiles import Billing
from app.payers.service.vat import country_code
from app.payers.service.vat_numbers import written

CURRENCIES = ("EUR", "USD")
LONGEST_LINE = 255
LONGEST_NUMBER = 32
LONGEST_EMAIL = 254


class Words(fields.String):
    """A text without blanks around it. W sends "" for what nobody filled in: that is null."""

    def __init__(self, longest: int = LONGEST_LINE, **kwargs: Any) -> None:
        super().__init__(allow_none=True, validate=ma.validate.Length(max=longest), **kwargs)

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        kept = value.strip() or None if isinstance(value, str) else value
        return super().deserialize(kept, *args, **kwargs)


class Country(Words):
    """Two letters; Greece is GR however it is written."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        code = country_code(super()._deserialize(value, attr, data, **kwargs))
        if code is None:
            raise ma.ValidationError("must be a country's two letters")
        return code


class Email(Words):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        address: str = super()._deserialize(value, attr, data, **kwargs)
        return str(ma.validate.Email()(address))


class VatNumberWords(Words):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return written(super()._deserialize(value, attr, data, **kwargs))


class AddressSchema(Schema):
    line1 = Words()
    line2 = Words()
    city = Words()
    state = Words()
    postalCode = Words(32)  # noqa: N815
    country = Country(16, metadata={"example": "GR"})


class CurrencyWords(Words):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return str(ma.validate.OneOf(CURRENCIES)(super()._deserialize(value, attr, data, **kwargs)))


class ProfileIn(Schema):
    """Any of these: what is absent stays, and "" or null empties it. Load gives columns."""

    legal_name = Words(data_key="legalName")
    vat_number = VatNumberWords(LONGEST_NUMBER, data_key="vatNumber")
    vat_country = Country(16, data_key="vatCountry", metadata={"example": "GR"})
    billing_email = Email(
        LONGEST_EMAIL, data_key="billingEmail", metadata={"example": "accounts@example.com"}
    )
    billing_address = fields.Nested(AddressSchema, data_key="billingAddress", allow_none=True)
    currency = CurrencyWords(metadata={"enum": [*CURRENCIES, None]})
    is_business = fields.Boolean(data_key="isBusiness", allow_none=True)

    @ma.post_load
    def complete(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        """An address has all its members, or is none; null is no business."""
        if "billing_address" in given:
            address = given["billing_address"] or {}
            whole = {name: address.get(name) for name in AddressSchema().fields}
            given["billing_address"] = whole if any(whole.values()) else None
        if "is_business" in given:
            given["is_business"] = bool(given["is_business"])
        return given


class ProfileSchema(Schema):
    """`taxStatus` is `pending` as well while the register of VAT numbers does not answer."""

    shopId = fields.Id()  # noqa: N815
    legalName = fields.String(allow_none=True)  # noqa: N815
    vatNumber = fields.String(allow_none=True)  # noqa: N815
    vatCountry = fields.String(allow_none=True)  # noqa: N815
    billingEmail = fields.String(allow_none=True)  # noqa: N815
    billingAddress = fields.Nested(AddressSchema, allow_none=True)  # noqa: N815
    currency = fields.String()
    taxStatus = fields.String(allow_none=True)  # noqa: N815
    taxExempt = fields.Boolean()  # noqa: N815
    isBusiness = fields.Boolean()  # noqa: N815
    vatValidated = fields.Boolean(allow_none=True)  # noqa: N815
    validatedAt = fields.Instant(allow_none=True)  # noqa: N815
    validationSource = fields.String(allow_none=True)  # noqa: N815
    taxTreatment = fields.String(allow_none=True)  # noqa: N815

    @ma.pre_dump
    def with_defaults(self, billing: Billing, **_: Any) -> dict[str, Any]:
        profile = billing.profile
        return {
            "shopId": billing.shop.id,
            "legalName": profile and profile.legal_name,
            "vatNumber": profile and profile.vat_number,
            "vatCountry": profile and profile.country_of_vat,
            "billingEmail": profile and profile.billing_email,
            "billingAddress": profile and profile.billing_address,
            "currency": billing.shop.currency,
            "taxExempt": bool(profile and profile.tax_exempt),
            "isBusiness": bool(profile and profile.is_business),
            "taxTreatment": billing.treatment,
            **_said_of_the_number(billing),
        }


def _said_of_the_number(billing: Billing) -> dict[str, Any]:
    status = billing.profile.vat_status if billing.profile else None
    is_settled = status in {VatStatus.VERIFIED, VatStatus.UNVERIFIED}
    profile = billing.profile if is_settled else None
    return {
        "taxStatus": VatStatus.PENDING if status == VatStatus.UNAVAILABLE else status,
        "vatValidated": status == VatStatus.VERIFIED if is_settled else None,
        "validatedAt": profile and profile.vat_checked_at,
        "validationSource": profile and profile.vat_source,
    }
