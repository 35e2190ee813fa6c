"""Settings as the clients read and write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import marshmallow as ma

from app.core.http import Schema, fields
from app.core.settings import settings
from app.messaging.service.capping import Caps
from app.settings import values
from app.settings.guide import USAGE_GUIDE
from app.settings.values import Currency
from app.shops.models import EshopType

CURRENCIES = [currency.value for currency in Currency]
ESHOP_TYPES = [kind.value for kind in EshopType]


class Checked(fields.String):
    """A text that `read` turns into a value, or refuses with a sentence. null counts as empty."""

    def __init__(self, read: Callable[[str], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.read = read

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return self.read(super()._deserialize(value, attr, data, **kwargs))
        except ValueError as refusal:
            if isinstance(refusal, ma.ValidationError):
                raise
            raise ma.ValidationError(str(refusal)) from None


def _base_url(raw: str) -> str | None:
    return values.read_base_url(raw, https_only=settings().is_production)


def _eshop_type(raw: str) -> str | None:
    if raw and raw not in ESHOP_TYPES:
        raise ValueError(f"must be one of: {', '.join(ESHOP_TYPES)}")
    return raw or None


class SettingsIn(Schema):
    """Any of the settings: what is absent stays. Load gives columns of the shop."""

    sender = Checked(values.read_sender, data_key="senderId", allow_none=True)
    sender_number = Checked(values.read_sender_number, data_key="senderNumber", allow_none=True)
    sender_name = Checked(values.read_sender_name, data_key="senderName", allow_none=True)
    timezone = Checked(values.read_timezone)
    currency = fields.String(validate=ma.validate.OneOf(CURRENCIES))
    base_url = Checked(_base_url, data_key="baseUrl", allow_none=True)
    eshop_type = Checked(
        _eshop_type, data_key="eshopType", allow_none=True, metadata={"enum": [*ESHOP_TYPES, None]}
    )
    double_opt_in = fields.Boolean(data_key="doubleOptIn")

    @ma.post_load
    def let_the_sender_decide_both(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        """`senderId` sets number and name, so it outweighs either beside it."""
        if "sender" in given:
            given |= given.pop("sender") or {"sender_number": None, "sender_name": None}
        return given


class SenderIn(Schema):
    """The sender alone: a number or, as elsewhere, a name. Load gives both columns."""

    sender = Checked(values.read_sender, data_key="senderNumber", required=True)

    @ma.post_load
    def gather_columns(self, given: dict[str, Any], **_: Any) -> dict[str, str | None]:
        columns: dict[str, str | None] = given["sender"]
        if not any(columns.values()):
            raise ma.ValidationError("is required", "senderNumber")
        return columns


def credits_from(least: int, **kwargs: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=ma.validate.Range(least, 99), **kwargs)


class PriceCapsSchema(Schema):
    """All caps of the shop, in credits; what is absent is not capped. Load gives capping.Caps."""

    per_message = credits_from(
        1,
        data_key="maxCreditsPerMessage",
        allow_none=True,
        load_default=None,
        metadata={"description": "no text may cost more, wherever it goes", "example": 3},
    )
    by_country = fields.Dict(
        data_key="countries",
        keys=fields.String(),
        values=credits_from(0),
        load_default=dict,
        metadata={
            "description": "by ISO country code of the phone; 0: never text this country",
            "example": {"US": 0},
        },
    )

    @ma.post_load
    def make(self, given: dict[str, Any], **_: Any) -> Caps:
        return Caps(**given)


class RecentTransactionSchema(Schema):
    id = fields.Id()
    credits_added = fields.Integer(data_key="creditsAdded")
    amount = fields.Float()
    currency = fields.String()
    package_type = fields.String(data_key="packageType")
    status = fields.String()
    created_at = fields.Instant(data_key="createdAt")


class GuideSectionSchema(Schema):
    title = fields.String()
    content = fields.String()


class GuideSchema(Schema):
    title = fields.String()
    sections = fields.List(fields.Nested(GuideSectionSchema))


class ShopFactsSchema(Schema):
    """What every settings answer says about the shop; `credits` is the wallet."""

    shop_id = fields.Id(attribute="shop.id", data_key="shopId")
    shop_domain = fields.String(attribute="shop.domain", data_key="shopDomain")
    shop_name = fields.String(attribute="shop.display_name", data_key="shopName")
    credits = fields.Integer(attribute="wallet")
    created_at = fields.Instant(attribute="shop.created_at", data_key="createdAt")
    updated_at = fields.Instant(attribute="shop.updated_at", data_key="updatedAt")


class SettingsSchema(ShopFactsSchema):
    sender_id = fields.String(data_key="senderId")
    sender_number = fields.String(attribute="shop.sender_number", data_key="senderNumber", allow_none=True)
    sender_name = fields.String(attribute="shop.sender_name", data_key="senderName", allow_none=True)
    timezone = fields.String(attribute="shop.timezone")
    currency = fields.String(attribute="shop.currency", metadata={"enum": CURRENCIES})
    base_url = fields.String(attribute="shop.base_url", data_key="baseUrl", allow_none=True)
    eshop_type = fields.String(attribute="shop.eshop_type", data_key="eshopType", allow_none=True)
    double_opt_in = fields.Boolean(attribute="shop.double_opt_in", data_key="doubleOptIn")
    recent_transactions = fields.List(
        fields.Nested(RecentTransactionSchema), data_key="recentTransactions", dump_default=[]
    )
    usage_guide = fields.Nested(GuideSchema, data_key="usageGuide", dump_default=USAGE_GUIDE)


class SenderSchema(Schema):
    sender_number = fields.String(attribute="shop.sender_number", data_key="senderNumber", allow_none=True)
    sender_id = fields.String(data_key="senderId")
    updated_at = fields.Instant(attribute="shop.updated_at", data_key="updatedAt")


class ChosenSchema(Schema):
    sender_id = fields.String(data_key="senderId")
    timezone = fields.String(attribute="shop.timezone")
    currency = fields.String(attribute="shop.currency")


class OldAccountSchema(Schema):
    """The same facts where one of the clients looks for them."""

    shop_domain = fields.String(attribute="shop.domain", data_key="shopDomain")
    credits = fields.Integer(attribute="wallet")
    created_at = fields.Instant(attribute="shop.created_at", data_key="createdAt")
    sender_number = fields.String(attribute="shop.sender_number", data_key="senderNumber", allow_none=True)
    sender_name = fields.String(attribute="shop.sender_name", data_key="senderName", allow_none=True)


class UsageSchema(Schema):
    contacts = fields.Integer(data_key="totalContacts")
    campaigns = fields.Integer(data_key="totalCampaigns")
    automations = fields.Integer(data_key="totalAutomations")
    messages = fields.Integer(data_key="totalMessages")
    total_spent = fields.Function(
        lambda used: used.spent_cents / 100,
        data_key="totalSpent",
        metadata={"type": "number", "description": "in major units"},
    )


class AccountSchema(ShopFactsSchema):
    settings = fields.Nested(ChosenSchema)
    account = fields.Nested(OldAccountSchema)
    usage = fields.Nested(UsageSchema)

    @ma.pre_dump
    def spread(self, account: Any, **_: Any) -> dict[str, Any]:
        found = account.settings
        return {
            "shop": found.shop,
            "wallet": found.wallet,
            "settings": found,
            "account": found,
            "usage": account.usage,
        }
