"""Billing as the clients read it."""

from __future__ import annotations

from app.core.http import Schema, fields


class SubscriptionSchema(Schema):
    """The state of a subscription (contract §14.1)."""

    active = fields.Boolean()
    planType = fields.String(allow_none=True)  # noqa: N815
    planCode = fields.String(allow_none=True)  # noqa: N815
    status = fields.String()
    interval = fields.String(allow_none=True)
    currentPeriodStart = fields.Instant(allow_none=True)  # noqa: N815
    currentPeriodEnd = fields.Instant(allow_none=True)  # noqa: N815
    cancelAtPeriodEnd = fields.Boolean()  # noqa: N815
    includedSmsPerPeriod = fields.Integer()  # noqa: N815
    usedSmsThisPeriod = fields.Integer()  # noqa: N815
    remainingSmsThisPeriod = fields.Integer()  # noqa: N815
    billingCurrency = fields.String()  # noqa: N815
    currency = fields.String()
    pendingChange = fields.Raw(allow_none=True)  # noqa: N815
    allowedActions = fields.List(fields.String())  # noqa: N815
    availableOptions = fields.List(fields.Dict())  # noqa: N815


class BalanceSchema(Schema):
    """`credits` and `balance` are the wallet with what is reserved in it; `available` is what is free."""

    credits = fields.Integer()
    balance = fields.Integer()
    reserved = fields.Integer()
    available = fields.Integer()
    currency = fields.String()
    subscription = fields.Nested(SubscriptionSchema)
