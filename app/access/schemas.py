"""What keys and the activity log take and give."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.access.queries import ActivityFilter
from app.access.scopes import Scope
from app.core.activity import ActorKind
from app.core.http import PageQuery, Schema, fields, page_schema

NAME_MAX = 100
FILTER_TEXT_MAX = 64


class ApiKeyIn(Schema):
    name = fields.String(required=True, validate=ma.validate.Length(1, NAME_MAX))
    scopes = fields.List(
        fields.String(validate=ma.validate.OneOf([str(scope) for scope in Scope])),
        required=True,
        validate=ma.validate.Length(1, 100),
    )
    expires_at = fields.Instant(
        data_key="expiresAt",
        load_default=None,
        allow_none=True,
        metadata={"example": "2100-01-01T00:00:00.000Z"},
    )

    @ma.pre_load
    def trim(self, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        name = body.get("name")
        return {**body, "name": name.strip()} if isinstance(name, str) else body


class ApiKeySchema(Schema):
    id = fields.Id()
    name = fields.String()
    prefix = fields.String(metadata={"description": "how the secret begins", "example": "ak_12_Xk3v"})
    scopes = fields.List(fields.String())
    created_at = fields.Instant(data_key="createdAt")
    expires_at = fields.Instant(data_key="expiresAt", allow_none=True)
    last_used_at = fields.Instant(data_key="lastUsedAt", allow_none=True)
    previous_until = fields.Instant(
        data_key="previousUntil",
        metadata={"description": "until when the secret before the last rotation opens"},
        allow_none=True,
    )


class ApiKeysSchema(Schema):
    items = fields.List(fields.Nested(ApiKeySchema))
    api_keys = fields.List(fields.Nested(ApiKeySchema), attribute="items", data_key="apiKeys", dump_only=True)


class IssuedKeySchema(Schema):
    key = fields.Nested(ApiKeySchema)
    secret = fields.String(metadata={"description": "the key itself, shown this once"})


class ActivityFilterQuery(Schema):
    action = fields.String(validate=ma.validate.Length(1, FILTER_TEXT_MAX))
    object_kind = fields.String(data_key="objectKind", validate=ma.validate.Length(1, FILTER_TEXT_MAX))
    object_id = fields.Id(data_key="objectId")
    actor_kind = fields.String(
        data_key="actorKind", validate=ma.validate.OneOf([str(kind) for kind in ActorKind])
    )
    actor_id = fields.Id(data_key="actorId")
    first_at = fields.Instant(data_key="from")
    last_at = fields.Instant(data_key="to")

    @ma.post_load
    def gather(self, query: dict[str, Any], **_: Any) -> dict[str, Any]:
        wanted = {name: query.pop(name) for name in list(query) if name in ActivityFilter.__annotations__}
        return {**query, "wanted": ActivityFilter(**wanted)}


class ActivityQuery(ActivityFilterQuery, PageQuery):
    pass


class ActivityEntrySchema(Schema):
    id = fields.Id()
    at = fields.Instant()
    action = fields.String(metadata={"example": "campaign.enqueued"})
    actor_kind = fields.String(data_key="actorKind", metadata={"enum": [str(kind) for kind in ActorKind]})
    actor_id = fields.Id(data_key="actorId", allow_none=True)
    object_kind = fields.String(data_key="objectKind", allow_none=True)
    object_id = fields.Id(data_key="objectId", allow_none=True)
    request_id = fields.String(data_key="requestId", allow_none=True)
    network = fields.String(metadata={"example": "203.0.113.0/24"}, allow_none=True)
    details = fields.Dict()


ActivityPageSchema = page_schema(ActivityEntrySchema, alias="activity")
