"""Discounts as both clients read them: each has its own words for the same facts."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.core.http import Schema, fields
from app.discounts.service.describing import Discount, DiscountKind

KINDS = [kind.value for kind in DiscountKind]
# How the old system spelt two of the kinds; one client still reads `type`.
OLD_WORDS = {DiscountKind.AMOUNT: "fixed_amount", DiscountKind.BXGY: "buy_x_get_y"}


class DiscountAmountSchema(Schema):
    amount = fields.Float()
    currency_code = fields.String(data_key="currencyCode")


class DiscountValueSchema(Schema):
    """`percentage` is 10 for a tenth; `amount` is in major units."""

    percentage = fields.Float()
    amount = fields.Nested(DiscountAmountSchema)


class DiscountSchema(Schema):
    id = fields.String()
    code = fields.String()
    title = fields.String()
    type = fields.Function(lambda one: OLD_WORDS.get(one.kind, str(one.kind)), metadata={"type": "string"})
    kind = fields.String(data_key="discountType", metadata={"enum": KINDS})
    value_label = fields.String(data_key="valueLabel")
    validity_label = fields.String(data_key="validityLabel")
    value = fields.Method("worth", metadata={"type": "object"})
    status = fields.String()
    is_active = fields.Boolean(data_key="isActive")
    is_expired = fields.Boolean(data_key="isExpired")
    starts_at = fields.Instant(data_key="startsAt", allow_none=True)
    ends_at = fields.Instant(data_key="endsAt", allow_none=True)
    usage_limit = fields.Integer(data_key="usageLimit", allow_none=True)

    def worth(self, discount: Discount) -> dict[str, Any]:
        worth: dict[str, Any] = {}
        if discount.percent is not None:
            worth["percentage"] = discount.percent
        if discount.amount_cents is not None:
            worth["amount"] = {"amount": discount.amount_cents / 100, "currency_code": discount.currency}
        dumped: dict[str, Any] = DiscountValueSchema().dump(worth)
        return dumped


class DiscountListSchema(Schema):
    discounts = fields.List(fields.Nested(DiscountSchema))
    total = fields.Integer()
    active = fields.Integer()


class ValidateDiscountIn(Schema):
    discount_id = fields.String(
        data_key="discountId", required=True, validate=ma.validate.Length(min=1, max=255)
    )


class DiscountValidationSchema(Schema):
    discount = fields.Nested(DiscountSchema, allow_none=True)
    is_valid = fields.Boolean(data_key="isValid")
    can_use = fields.Function(lambda one: one.is_valid, data_key="canUse", metadata={"type": "boolean"})
    reason = fields.String(allow_none=True)


class PoolIn(Schema):
    """`percentage` is 10 for a tenth. Each of the `count` codes begins with `prefix` and can be used once."""

    title = fields.String(required=True, validate=ma.validate.Length(min=1, max=200))
    percentage = fields.Float(
        required=True, validate=ma.validate.Range(min=0.01, max=100), metadata={"example": 10}
    )
    count = fields.Integer(required=True, strict=True, validate=ma.validate.Range(min=1, max=20_000))
    prefix = fields.String(load_default="", validate=ma.validate.Regexp(r"^[A-Za-z0-9]{0,12}(?![\s\S])"))
    ends_at = fields.Instant(data_key="endsAt", load_default=None, allow_none=True)


class MoreCodesIn(Schema):
    count = fields.Integer(load_default=250, strict=True, validate=ma.validate.Range(min=1, max=20_000))


class PoolSchema(Schema):
    """`liveCodes` are known to Shopify; `freeCodes` of them are nobody's yet."""

    id = fields.Id()
    title = fields.String()
    percentage = fields.Function(lambda one: float(one.percent), metadata={"type": "number"})
    prefix = fields.String()
    ends_at = fields.Instant(data_key="endsAt", allow_none=True)
    discount_id = fields.String(data_key="discountId", allow_none=True)
    last_error = fields.String(data_key="lastError", allow_none=True)
    codes = fields.Integer()
    live = fields.Integer(data_key="liveCodes")
    free = fields.Integer(data_key="freeCodes")
    created_at = fields.Instant(data_key="createdAt")


class PoolListSchema(Schema):
    pools = fields.List(fields.Nested(PoolSchema))
