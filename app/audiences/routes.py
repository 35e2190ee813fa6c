"""Audiences and segments over HTTP."""

from __future__ import annotations

from typing import Any

from flask import g

from app.audiences import service
from app.audiences.schemas import (
    AudienceDetailsSchema,
    AudienceListSchema,
    AudienceToValidate,
    DetailsQuery,
    MembersChangedSchema,
    MembersIn,
    SavedSegmentSchema,
    SegmentChange,
    SegmentIn,
    SegmentListSchema,
    SegmentPreviewSchema,
    SegmentSchema,
    ValidationSchema,
)
from app.core.cache import cached
from app.core.http import ApiBlueprint

blueprint = ApiBlueprint("audiences", __name__, description="Whom a campaign can be for")


@blueprint.get("/audiences")
@cached("audiences", "contacts", seconds=60)
@blueprint.data(200, AudienceListSchema)
def list_audiences() -> Any:
    """All audiences with the number of contacts that each one reaches now."""
    return service.list_audiences(g.shop_id)


@blueprint.get("/audiences/<string:audience_id>/details")
@blueprint.arguments(DetailsQuery, location="query")
@blueprint.data(200, AudienceDetailsSchema)
@blueprint.errors(404)
def show_audience(query: dict[str, Any], audience_id: str) -> Any:
    """The contacts that an audience reaches, newest first."""
    return service.audience_details(g.shop_id, audience_id, **query)


@blueprint.post("/audiences/validate")
@blueprint.arguments(AudienceToValidate)
@blueprint.data(200, ValidationSchema)
def validate_audience(body: dict[str, Any]) -> Any:
    """Whether an audience can be sent to. An unknown one is an answer, not an error."""
    return service.validate_audience(g.shop_id, body["audience_id"])


@blueprint.get("/audiences/segments")
@cached("audiences", "contacts", seconds=60)
@blueprint.data(200, SegmentListSchema)
def list_segments() -> Any:
    """All segments: the system ones, then the shop's own."""
    segments = service.list_segments(g.shop_id)
    return {"segments": segments, "total": len(segments)}


@blueprint.post("/audiences/segments")
@blueprint.arguments(SegmentIn)
@blueprint.data(201, SavedSegmentSchema)
@blueprint.errors(409)
def create_segment(body: dict[str, Any]) -> Any:
    """Make a segment by a rule, or by a list of contacts."""
    return service.create_segment(g.shop_id, **body)


@blueprint.get("/audiences/segments/<id:segment_id>")
@blueprint.data(200, SegmentSchema)
@blueprint.errors(404)
def show_segment(segment_id: int) -> Any:
    """One segment."""
    return service.show_segment(g.shop_id, segment_id)


@blueprint.get("/audiences/segments/<id:segment_id>/preview")
@blueprint.data(200, SegmentPreviewSchema)
@blueprint.errors(404)
def preview_segment(segment_id: int) -> Any:
    """How many contacts a text to the segment would reach now."""
    return service.show_segment(g.shop_id, segment_id)


@blueprint.put("/audiences/segments/<id:segment_id>")
@blueprint.arguments(SegmentChange)
@blueprint.data(200, SavedSegmentSchema)
@blueprint.errors(404, 409)
def change_segment(body: dict[str, Any], segment_id: int) -> Any:
    """Change a custom segment's name, rule, list of contacts, or whether it is active."""
    return service.change_segment(g.shop_id, segment_id, **body)


@blueprint.delete("/audiences/segments/<id:segment_id>")
@blueprint.data(200, message="The segment was deleted.")
@blueprint.errors(404, 409)
def delete_segment(segment_id: int) -> None:
    """Delete a custom segment. Its contacts stay."""
    service.delete_segment(g.shop_id, segment_id)


@blueprint.post("/audiences/segments/<id:segment_id>/members")
@blueprint.arguments(MembersIn)
@blueprint.data(200, MembersChangedSchema)
@blueprint.errors(404, 409)
def add_members(body: dict[str, Any], segment_id: int) -> Any:
    """Put contacts into a segment that is a list."""
    return service.add_members(g.shop_id, segment_id, body["contact_ids"])


@blueprint.delete("/audiences/segments/<id:segment_id>/members")
@blueprint.arguments(MembersIn)
@blueprint.data(200, MembersChangedSchema)
@blueprint.errors(404, 409)
def remove_members(body: dict[str, Any], segment_id: int) -> Any:
    """Take contacts out of a segment that is a list."""
    return service.remove_members(g.shop_id, segment_id, body["contact_ids"])
