"""Single messages over HTTP, and asking the carrier about them."""

from __future__ import annotations

from typing import Any

from flask import g

from app.core.http import ApiBlueprint
from app.reports.schemas.requests import MessageIdsIn, ProviderMessageIn, RefreshIn, TrackingQuery
from app.reports.schemas.tracking import (
    AskedManySchema,
    MessageStatusSchema,
    RefreshedManySchema,
    RefreshedMessageSchema,
    TrackedCampaignSchema,
    TrackedMessageSchema,
)
from app.reports.service import tracking

blueprint = ApiBlueprint("tracking", __name__, description="Following messages to the end")
Body = dict[str, Any]


@blueprint.get("/tracking/mitto/<message_id>")
@blueprint.data(200, TrackedMessageSchema)
@blueprint.errors(404)
def track_message(message_id: str) -> Any:
    """Show a message; the carrier is asked when it has no final state."""
    return tracking.track_message(g.shop_id, message_id)


@blueprint.get("/tracking/campaign/<id:campaign_id>")
@blueprint.arguments(TrackingQuery, location="query")
@blueprint.data(200, TrackedCampaignSchema)
@blueprint.errors(404)
def track_campaign(query: Body, campaign_id: int) -> Any:
    """List the messages of a campaign's newest sending, page by page."""
    return tracking.track_campaign(g.shop_id, campaign_id, **query)


@blueprint.post("/tracking/bulk-update")
@blueprint.arguments(MessageIdsIn)
@blueprint.data(200, AskedManySchema)
def bulk_update(body: Body) -> Any:
    """Ask the carrier about up to 100 messages."""
    return tracking.refresh_many(g.shop_id, body["names"])


@blueprint.post("/api/mitto/refresh-status")
@blueprint.arguments(ProviderMessageIn)
@blueprint.data(200, RefreshedMessageSchema)
@blueprint.errors(404, 502)
def refresh_status(body: Body) -> Any:
    """Ask the carrier about one message."""
    return tracking.refresh(g.shop_id, body["name"])


@blueprint.post("/api/mitto/refresh-status-bulk")
@blueprint.arguments(RefreshIn)
@blueprint.data(200, RefreshedManySchema)
@blueprint.errors(404)
def refresh_status_bulk(body: Body) -> Any:
    """Ask the carrier about the messages under way of a campaign, or about those named."""
    if body["campaign_id"] is not None:
        return tracking.refresh_campaign(g.shop_id, body["campaign_id"])
    return tracking.refresh_many(g.shop_id, body["names"])


@blueprint.get("/api/mitto/message/<message_id>")
@blueprint.data(200, MessageStatusSchema)
@blueprint.errors(404)
def show_status(message_id: str) -> Any:
    """Show a message's state as we know it."""
    return tracking.show_message(g.shop_id, message_id)
