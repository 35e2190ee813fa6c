"""API keys and the activity log over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, after_this_request, g

from app.access.models import ApiKey
from app.access.schemas import (
    ActivityFilterQuery,
    ActivityPageSchema,
    ActivityQuery,
    ApiKeyIn,
    ApiKeysSchema,
    IssuedKeySchema,
)
from app.access.service import keys, reading
from app.access.service.keys import IssuedKey
from app.core.activity import Activity
from app.core.http import ApiBlueprint, Page
from app.core.http.download import download

api_keys = ApiBlueprint("api-keys", __name__, description="Keys for a shop's own systems")
activity = ApiBlueprint("activity", __name__, description="Who did what in the shop")
CSV: dict[str, Any] = {"schema": {"type": "string"}, "content_type": "text/csv"}


@api_keys.get("/api-keys")
@api_keys.data(200, ApiKeysSchema)
def list_keys() -> dict[str, Sequence[ApiKey]]:
    """List the shop's keys, without their secrets."""
    return {"items": keys.list_keys(g.shop_id)}


@api_keys.post("/api-keys")
@api_keys.arguments(ApiKeyIn)
@api_keys.data(201, IssuedKeySchema)
@api_keys.errors(403, 409)
def create_key(body: dict[str, Any]) -> IssuedKey:
    """Make a key. Its secret is in this answer and never again."""
    after_this_request(_not_kept)
    return keys.create_key(g.shop_id, **body)


@api_keys.post("/api-keys/<id:key_id>/rotate")
@api_keys.data(200, IssuedKeySchema)
@api_keys.errors(403, 404)
def rotate_key(key_id: int) -> IssuedKey:
    """Give a key a new secret, shown once. The old one opens for 24 hours more."""
    after_this_request(_not_kept)
    return keys.rotate_key(g.shop_id, key_id)


@api_keys.delete("/api-keys/<id:key_id>")
@api_keys.data(200, message="The API key has been revoked.")
@api_keys.errors(403, 404)
def revoke_key(key_id: int) -> None:
    """Close a key at once."""
    keys.revoke_key(g.shop_id, key_id)


@activity.get("/activity")
@activity.arguments(ActivityQuery, location="query")
@activity.data(200, ActivityPageSchema)
def list_activity(query: dict[str, Any]) -> Page[Activity]:
    """List what was done in the shop, the newest first."""
    return reading.list_activity(g.shop_id, **query)


@activity.get("/activity/export")
@activity.arguments(ActivityFilterQuery, location="query")
@activity.response(200, **CSV)
@activity.errors(400, 401)
def export_activity(query: dict[str, Any]) -> Response:
    """Download what was done in the shop as a CSV file, the newest first."""
    return download(reading.activity_file(g.shop_id, **query), "activity.csv")


def _not_kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
