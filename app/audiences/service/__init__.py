"""Audiences: what they are called, whom they reach; and the segments behind them."""

from app.audiences.models import Audience, AudienceKind
from app.audiences.service.audiences import (
    audience_counts,
    audience_details,
    canonical,
    list_audiences,
    parse_audience,
    require_audience,
    segment_members,
    validate_audience,
)
from app.audiences.service.members import add_members, remove_members
from app.audiences.service.segments import (
    change_segment,
    create_segment,
    delete_segment,
    list_segments,
    show_segment,
)

__all__ = [
    "Audience",
    "AudienceKind",
    "add_members",
    "audience_counts",
    "audience_details",
    "canonical",
    "change_segment",
    "create_segment",
    "delete_segment",
    "list_audiences",
    "list_segments",
    "parse_audience",
    "remove_members",
    "require_audience",
    "segment_members",
    "show_segment",
    "validate_audience",
]
