"""What automation routes take and give. Both clients' names for one thing are given: title is name."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.automations.models import AttemptOutcome, AutomationStatus, Trigger
from app.automations.service.editing import AutomationView
from app.core.http import Schema, fields

STEPS_MAX, YEAR_MINUTES = 10, 525_600
CONDITIONS_MAX = 20
STATUSES = ma.validate.OneOf([*AutomationStatus])
EXAMPLE = "Hi {{firstName}}, welcome to {{shopName}}!"
CONDITIONS = {
    "description": "discountCode, reviewLink, recommendedProducts, exitOnPurchase, days, localHour",
    "example": {"discountCode": "WELCOME10"},
}


class Message(fields.String):
    """A text of 10 to 1600 characters, without blanks around it."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        words: str = super()._deserialize(value, *args, **kwargs).strip()
        if not 10 <= len(words) <= 1600:
            raise ma.ValidationError("must have 10 to 1600 characters")
        return words


class Name(fields.String):
    """1 to 255 characters without blanks around them."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        words: str = super()._deserialize(value, *args, **kwargs).strip()
        if not 1 <= len(words) <= 255:
            raise ma.ValidationError("must have 1 to 255 characters")
        return words


class StepIn(Schema):
    """One text: step 1 comes so long after the event, every other one after the step before."""

    message = Message(required=True, metadata={"example": EXAMPLE})
    delay_minutes = fields.Integer(
        data_key="delayMinutes", strict=True, allow_none=True, validate=ma.validate.Range(0, YEAR_MINUTES)
    )


class Conditioned(Schema):
    """A body with `triggerConditions`: an object with a few simple values."""

    conditions = fields.Dict(keys=fields.String(), data_key="triggerConditions", metadata=CONDITIONS)
    steps = fields.List(fields.Nested(StepIn), validate=ma.validate.Length(1, STEPS_MAX))

    @ma.validates("conditions")
    def check_conditions(self, value: dict[str, Any], **_: Any) -> None:
        if len(value) > CONDITIONS_MAX:
            raise ma.ValidationError(f"must not have more than {CONDITIONS_MAX} keys")
        for key, kind in (("days", int), ("localHour", int), ("exitOnPurchase", bool)):
            given = value.get(key)
            if given is not None and (
                not isinstance(given, kind) or (kind is int and isinstance(given, bool))
            ):
                raise ma.ValidationError(f"{key} has the wrong type")
        if not 1 <= value.get("days", 90) <= 3650:
            raise ma.ValidationError("days must be between 1 and 3650")
        if not 0 <= value.get("localHour", 10) <= 23:
            raise ma.ValidationError("localHour must be between 0 and 23")
        if any(isinstance(one, str) and len(one) > 500 for one in value.values()):
            raise ma.ValidationError("values must not have more than 500 characters")


class AutomationIn(Conditioned):
    """A new automation."""

    name = Name(required=True, metadata={"example": "Welcome"})
    description = fields.String(allow_none=True, validate=ma.validate.Length(max=500))
    trigger = fields.String(required=True, validate=ma.validate.OneOf([*Trigger]))
    message = Message(required=True, metadata={"example": EXAMPLE})
    status = fields.String(load_default=AutomationStatus.DRAFT, validate=STATUSES)
    conditions = fields.Dict(
        keys=fields.String(), data_key="triggerConditions", load_default=dict, metadata=CONDITIONS
    )


class AutomationChanges(Conditioned):
    """What to change. `message` and `status` win over the older names `userMessage` and `isActive`."""

    name = Name()
    description = fields.String(allow_none=True, validate=ma.validate.Length(max=500))
    message = Message(metadata={"example": EXAMPLE})
    status = fields.String(validate=STATUSES)

    user_message = Message(data_key="userMessage", load_only=True)
    is_active = fields.Boolean(data_key="isActive", load_only=True)

    @ma.post_load
    def read_old_names(self, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        old_message, is_active = body.pop("user_message", None), body.pop("is_active", None)
        if old_message is not None:
            body.setdefault("message", old_message)
        if is_active is not None:
            body.setdefault("status", AutomationStatus.ACTIVE if is_active else AutomationStatus.PAUSED)
        return body


class StepSchema(Schema):
    step_no = fields.Integer(data_key="stepNo")
    delay_minutes = fields.Integer(data_key="delayMinutes")
    message = fields.String()


class AutomationSchema(Schema):
    """One automation."""

    id = fields.Id()
    automationId = fields.Id()  # noqa: N815 (as clients read it)
    name = fields.String()
    title = fields.String()
    description = fields.String(allow_none=True)
    trigger = fields.String()
    triggerEvent = fields.String()  # noqa: N815
    message = fields.String()
    userMessage = fields.String(allow_none=True)  # noqa: N815
    defaultMessage = fields.String()  # noqa: N815
    status = fields.String(validate=STATUSES)
    isActive = fields.Boolean()  # noqa: N815
    isSystemDefault = fields.Boolean()  # noqa: N815
    triggerConditions = fields.Dict(keys=fields.String())  # noqa: N815
    steps = fields.List(fields.Nested(StepSchema))
    messagesSent = fields.Integer()  # noqa: N815
    createdAt = fields.Instant()  # noqa: N815
    updatedAt = fields.Instant()  # noqa: N815


class DefaultSchema(Schema):
    id = fields.String()
    title = fields.String()
    description = fields.String()
    triggerEvent = fields.String()  # noqa: N815
    defaultMessage = fields.String()  # noqa: N815
    isSystemDefault = fields.Boolean()  # noqa: N815
    createdAt = fields.Instant()  # noqa: N815
    updatedAt = fields.Instant()  # noqa: N815


class StatsSchema(Schema):
    """Automations by status; `successRate` is in percent."""

    total = fields.Integer()
    active = fields.Integer()
    paused = fields.Integer()
    draft = fields.Integer()
    enabled = fields.Integer()
    disabled = fields.Integer()
    messages_sent = fields.Integer(data_key="messagesSent")
    total_sent = fields.Integer(data_key="totalSent")
    success_rate = fields.Float(data_key="successRate")


class VariableSchema(Schema):
    name = fields.String()
    description = fields.String()
    example = fields.String()


class VariablesSchema(Schema):
    triggerType = fields.String()  # noqa: N815
    variables = fields.List(fields.Nested(VariableSchema))
    variableDescriptions = fields.List(fields.Nested(VariableSchema))  # noqa: N815
    names = fields.List(fields.String())


class SyncedSchema(Schema):
    syncedCount = fields.Integer()  # noqa: N815
    synced = fields.Integer()
    totalShops = fields.Integer()  # noqa: N815
    totalAutomations = fields.Integer()  # noqa: N815


class AttemptsQuery(Schema):
    before = fields.Id(load_default=None)
    limit = fields.Integer(load_default=50, validate=ma.validate.Range(1, 100))


class AttemptSchema(Schema):
    """What became of one step for one contact; `reason` says why it was not sent."""

    id = fields.Id()
    trigger = fields.String()
    step_no = fields.Integer(data_key="stepNo")
    contact_id = fields.Id(data_key="contactId", allow_none=True)
    message_id = fields.Id(data_key="messageId", allow_none=True)
    outcome = fields.String(data_key="status", validate=ma.validate.OneOf([*AttemptOutcome]))
    reason = fields.String(allow_none=True)
    at = fields.Instant(data_key="triggeredAt")


class AttemptsSchema(Schema):
    items = fields.List(fields.Nested(AttemptSchema))
    next_before = fields.Id(data_key="nextBefore", allow_none=True)


def shown(view: AutomationView) -> dict[str, Any]:
    """An automation as both clients read it."""
    one, default = view.automation, view.default
    message = view.steps[0].message if view.steps else ""
    usual = default.message if default else message
    return {
        "id": one.id,
        "automationId": one.id,
        "name": one.name,
        "title": one.name,
        "description": one.description,
        "trigger": one.trigger,
        "triggerEvent": one.trigger,
        "message": message,
        "userMessage": None if message == usual and default else message,
        "defaultMessage": usual,
        "status": one.status,
        "isActive": one.status == AutomationStatus.ACTIVE,
        "isSystemDefault": default is not None,
        "triggerConditions": one.conditions,
        "steps": view.steps,
        "messagesSent": view.messages_sent,
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
    }
