"""Refusals about audiences and segments."""

from __future__ import annotations

from app.core.errors import Conflict, DomainError, NotFound, ValidationFailed


class InvalidAudience(ValidationFailed):
    """Not an audience at all. There is no default: guessing would text the whole list."""

    def __init__(self) -> None:
        super().__init__("audience", "must be all, men, women or segment:<id>")


class AudienceNotFound(DomainError):
    """The audience's segment is gone, switched off, or another shop's."""

    code = "AUDIENCE_RESOLUTION_FAILED"
    message = "The segment of this audience does not exist or is not active."

    def __init__(self) -> None:
        super().__init__(field="audience")


class SegmentNotFound(NotFound):
    message = "There is no such segment in this shop."


class SegmentIsSystem(Conflict):
    message = "System segments cannot be changed."


class SegmentHasRule(Conflict):
    message = "This segment's members follow from its rule; they cannot be listed by hand."


class SegmentInUse(Conflict):
    message = "A scheduled or sending campaign uses this segment."


class DuplicateSegmentName(Conflict):
    code = "DUPLICATE_NAME"
    message = "The shop has a segment with this name."

    def __init__(self) -> None:
        super().__init__(field="name")


class TooManySegments(Conflict):
    message = "The shop has as many custom segments as it may have."
