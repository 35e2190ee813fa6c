"""What a merchant may see of requests about their customers' data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import g

from app.core.http import ApiBlueprint
from app.privacy.models import PrivacyRequest
from app.privacy.schemas import ExportSchema, PrivacyRequestSchema
from app.privacy.service import asking

blueprint = ApiBlueprint("privacy", __name__, description="Requests about people's data")


@blueprint.get("/privacy/requests")
@blueprint.data(200, PrivacyRequestSchema, many=True)
def list_requests() -> Sequence[PrivacyRequest]:
    """The newest requests, and what was done about them."""
    return asking.requests_of(g.shop_id)


@blueprint.get("/privacy/requests/<id:request_id>/export")
@blueprint.data(200, ExportSchema)
@blueprint.errors(404, 409)
def export(request_id: int) -> dict[str, Any]:
    """Everything that is kept of the person who asked for it, to be handed on to them."""
    return asking.export(g.shop_id, request_id)
