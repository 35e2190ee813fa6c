"""What the clients' unsubscribe page reads."""

from __future__ import annotations

from app.core.http import Schema, fields
from app.core.phones import mask_phone
from app.optouts.service import OptOutLink


class OptedOutPersonSchema(Schema):
    id = fields.Id(attribute="contact_id")
    phone_e164 = fields.Function(
        lambda link: mask_phone(link.phone), data_key="phoneE164", metadata={"example": "+3069•••456"}
    )
    sms_consent = fields.String(attribute="consent", data_key="smsConsent")


class OptOutPersonSchema(OptedOutPersonSchema):
    first_name = fields.String(data_key="firstName", allow_none=True)
    last_name = fields.String(data_key="lastName", allow_none=True)


class OptOutShopSchema(Schema):
    id = fields.Id(attribute="shop_id")
    shop_name = fields.String(data_key="shopName")
    shop_domain = fields.String(data_key="shopDomain")


class OptOutLinkSchema(Schema):
    contact = fields.Nested(OptOutPersonSchema)
    shop = fields.Nested(OptOutShopSchema)
    token = fields.String()


class OptedOutSchema(Schema):
    success = fields.Boolean()
    message = fields.String()
    contact = fields.Nested(OptedOutPersonSchema)


def opt_out_link(link: OptOutLink, token: str) -> dict[str, object]:
    return {"contact": link, "shop": link, "token": token}
