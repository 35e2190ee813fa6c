"""Subscriptions as both clients write and read them (contract §14)."""

from __future__ import annotations

import marshmallow as ma

from app.core.http import Schema, fields
from app.subscriptions.plans import CURRENCIES, PLAN_OF


class PendingChangeSchema(Schema):
    planCode = fields.String()  # noqa: N815
    interval = fields.String()
    currency = fields.String()
    effectiveAt = fields.Instant()  # noqa: N815


class SubscriptionPlanSchema(Schema):
    priceEur = fields.Integer()  # noqa: N815
    freeCredits = fields.Integer()  # noqa: N815


class SubscriptionOptionSchema(Schema):
    planCode = fields.String()  # noqa: N815
    interval = fields.String()
    currency = fields.String()
    priceId = fields.String()  # noqa: N815


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
    lastBillingError = fields.String(allow_none=True)  # noqa: N815
    stripeCustomerId = fields.String(allow_none=True)  # noqa: N815
    stripeSubscriptionId = fields.String(allow_none=True)  # noqa: N815
    lastFreeCreditsAllocatedAt = fields.Instant(allow_none=True)  # noqa: N815
    pendingChange = fields.Nested(PendingChangeSchema, allow_none=True)  # noqa: N815
    plan = fields.Nested(SubscriptionPlanSchema, allow_none=True)
    allowedActions = fields.List(fields.String())  # noqa: N815
    availableOptions = fields.List(fields.Nested(SubscriptionOptionSchema))  # noqa: N815
    derivedFrom = fields.String()  # noqa: N815
    mismatchDetected = fields.Boolean()  # noqa: N815
    lastSyncedAt = fields.Instant(allow_none=True)  # noqa: N815
    sourceOfTruth = fields.String(allow_none=True)  # noqa: N815


class _WantedSchema(Schema):
    interval = fields.String(load_default=None, allow_none=True, validate=ma.validate.OneOf(tuple(PLAN_OF)))
    currency = fields.String(load_default=None, allow_none=True, validate=ma.validate.OneOf(CURRENCIES))


class SubscribeBody(_WantedSchema):
    planType = fields.String(required=True)  # noqa: N815


class UpdateBody(SubscribeBody):
    behavior = fields.String(load_default=None, allow_none=True, metadata={"description": "ignored"})


class SwitchBody(_WantedSchema):
    """At least one of the three: an interval alone implies the plan."""

    targetPlan = fields.String(load_default=None, allow_none=True)  # noqa: N815
    planType = fields.String(load_default=None, allow_none=True)  # noqa: N815

    @ma.validates_schema
    def something_is_named(self, body: dict[str, object], **_: object) -> None:
        if not any(body.get(name) for name in ("targetPlan", "planType", "interval")):
            raise ma.ValidationError("Name a plan or an interval.", "planType")


class FinalizeBody(Schema):
    sessionId = fields.String(required=True, validate=ma.validate.Length(1, 255))  # noqa: N815
    type = fields.String(load_default=None, allow_none=True)


class VerifyBody(Schema):
    sessionId = fields.String(required=True, validate=ma.validate.Length(1, 255))  # noqa: N815


class SubscriptionCheckoutSchema(Schema):
    checkoutUrl = fields.String()  # noqa: N815
    sessionId = fields.String()  # noqa: N815
    planType = fields.String()  # noqa: N815
    interval = fields.String()
    currency = fields.String()


class SubscriptionShownSchema(Schema):
    subscription = fields.Nested(SubscriptionSchema)


class SubscriptionChangedSchema(SubscriptionShownSchema):
    planType = fields.String()  # noqa: N815
    planCode = fields.String()  # noqa: N815
    interval = fields.String()
    currency = fields.String()
    behavior = fields.String()
    changeMode = fields.String()  # noqa: N815
    scheduled = fields.Boolean()
    effectiveAt = fields.Instant(allow_none=True)  # noqa: N815
    checkoutUrl = fields.String(allow_none=True)  # noqa: N815
    alreadyUpdated = fields.Boolean()  # noqa: N815


class ChangeScheduledSchema(SubscriptionShownSchema):
    scheduled = fields.Boolean()
    changeMode = fields.String()  # noqa: N815
    effectiveAt = fields.Instant(allow_none=True)  # noqa: N815


class ChangeUnscheduledSchema(SubscriptionShownSchema):
    scheduled = fields.Boolean()


class SubscriptionCancelledSchema(SubscriptionShownSchema):
    cancelledAt = fields.Instant()  # noqa: N815


class SubscriptionReconciledSchema(SubscriptionShownSchema):
    reconciled = fields.Boolean()
    reason = fields.String()


class PaymentPortalSchema(Schema):
    portalUrl = fields.String()  # noqa: N815
    url = fields.String()


class SubscriptionFinalizedSchema(SubscriptionShownSchema):
    finalized = fields.Boolean()
    alreadyActive = fields.Boolean()  # noqa: N815
    creditsAllocated = fields.Boolean()  # noqa: N815
    credits = fields.Integer()


class SubscriptionVerifiedSchema(SubscriptionShownSchema):
    alreadyProcessed = fields.Boolean()  # noqa: N815
    creditsAllocated = fields.Integer()  # noqa: N815
    finalized = fields.Boolean()
