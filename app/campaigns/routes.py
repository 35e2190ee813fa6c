"""Campaigns over HTTP."""

from __future__ import annotations

from typing import Any

from flask import g, request

from app.campaigns.schemas.campaigns import (
    CampaignPageSchema,
    CampaignSchema,
    CancelledCampaignSchema,
    EnqueuedSchema,
    FailedRecipientsSchema,
    QueueStatsSchema,
    ReconciledSchema,
    RetriedSchema,
    SentSchema,
    SummarySchema,
    TestSentSchema,
    UpdatedStatusSchema,
)
from app.campaigns.schemas.figures import MetricsSchema, ProgressSchema, StatusSchema
from app.campaigns.schemas.previews import PreparedSchema, PreviewSchema
from app.campaigns.schemas.quotes import QuoteSchema
from app.campaigns.schemas.requests import (
    CampaignChanges,
    CampaignIn,
    CampaignQuery,
    EnqueueIn,
    FailedQuery,
    ScheduleIn,
    StaleQuery,
    TestIn,
)
from app.campaigns.service import (
    editing,
    previewing,
    quoting,
    reading,
    reconciling,
    sending,
    states,
    testing,
)
from app.core.http import ApiBlueprint
from app.core.idempotency import read_key

blueprint = ApiBlueprint("campaigns", __name__, description="Writing campaigns and sending them")
Body = dict[str, Any]


def idempotency_key() -> str | None:
    """The request's key, under either name that clients use."""
    return read_key(request.headers.get("Idempotency-Key") or request.headers.get("X-Idempotency-Key"))


@blueprint.get("/campaigns")
@blueprint.arguments(CampaignQuery, location="query")
@blueprint.data(200, CampaignPageSchema)
def list_campaigns(query: Body) -> Any:
    """List campaigns: search, filter, sort, page by page."""
    return reading.list_campaigns(g.shop_id, **query)


@blueprint.get("/campaigns/stats/summary")
@blueprint.data(200, SummarySchema)
def summary() -> Any:
    """Count campaigns by status and show the latest."""
    return reading.summarize(g.shop_id)


@blueprint.get("/campaigns/queue/stats")
@blueprint.data(200, QueueStatsSchema)
def queue_stats() -> Any:
    """Count the shop's messages by where they are on their way."""
    return reading.queue_stats(g.shop_id)


@blueprint.get("/campaigns/<id:campaign_id>")
@blueprint.data(200, CampaignSchema)
@blueprint.errors(404)
def show_campaign(campaign_id: int) -> Any:
    """Show a campaign."""
    return reading.show_campaign(g.shop_id, campaign_id)


@blueprint.post("/campaigns")
@blueprint.arguments(CampaignIn)
@blueprint.data(201, CampaignSchema)
@blueprint.errors(409)
def create_campaign(body: Body) -> Any:
    """Write a campaign: a draft, or scheduled when it says when."""
    return editing.create_campaign(g.shop_id, body)


@blueprint.put("/campaigns/<id:campaign_id>")
@blueprint.arguments(CampaignChanges)
@blueprint.data(200, CampaignSchema)
@blueprint.errors(404, 409)
def update_campaign(body: Body, campaign_id: int) -> Any:
    """Change a campaign that is a draft or scheduled; what is absent stays."""
    return editing.update_campaign(g.shop_id, campaign_id, body)


@blueprint.delete("/campaigns/<id:campaign_id>")
@blueprint.data(200, message="The campaign has been deleted.")
@blueprint.errors(404, 409)
def delete_campaign(campaign_id: int) -> None:
    """Delete a campaign that is not being sent and was not sent."""
    editing.delete_campaign(g.shop_id, campaign_id)


@blueprint.put("/campaigns/<id:campaign_id>/schedule")
@blueprint.arguments(ScheduleIn)
@blueprint.data(200, CampaignSchema)
@blueprint.errors(404, 409)
def schedule_campaign(body: Body, campaign_id: int) -> Any:
    """Let a campaign go out at a time, once or every so many days."""
    return editing.schedule_campaign(g.shop_id, campaign_id, body)


@blueprint.get("/campaigns/<id:campaign_id>/preview")
@blueprint.data(200, PreviewSchema)
@blueprint.errors(404)
def preview(campaign_id: int) -> Any:
    """What the campaign would say, reach and cost, and what stands in the way."""
    return previewing.preview(g.shop_id, campaign_id)


@blueprint.post("/campaigns/<id:campaign_id>/prepare")
@blueprint.data(200, PreparedSchema)
@blueprint.errors(404, 409)
def prepare(campaign_id: int) -> Any:
    """Price a draft; nothing changes."""
    return previewing.prepare(g.shop_id, campaign_id)


@blueprint.post("/campaigns/<id:campaign_id>/quote")
@blueprint.data(201, QuoteSchema)
@blueprint.errors(404, 409)
def quote(campaign_id: int) -> Any:
    """Quote what the campaign costs at most: enqueue with the quote's id keeps to it or does nothing."""
    return quoting.quote(g.shop_id, campaign_id)


@blueprint.post("/campaigns/<id:campaign_id>/enqueue")
@blueprint.arguments(EnqueueIn, required=False)
@blueprint.data(200, EnqueuedSchema, mirror=True)
@blueprint.errors(402, 403, 404, 409)
def enqueue(body: Body, campaign_id: int) -> Any:
    """Start sending, once per Idempotency-Key, for at most what the quote says if one is named."""
    return sending.enqueue(g.shop_id, campaign_id, key=idempotency_key(), **body)


@blueprint.post("/campaigns/<id:campaign_id>/send")
@blueprint.arguments(EnqueueIn, required=False)
@blueprint.data(200, SentSchema)
@blueprint.errors(402, 403, 404, 409)
def send(body: Body, campaign_id: int) -> Any:
    """Start sending: enqueue by another name."""
    return sending.enqueue(g.shop_id, campaign_id, key=idempotency_key(), **body)


@blueprint.post("/campaigns/<id:campaign_id>/cancel")
@blueprint.data(200, CancelledCampaignSchema)
@blueprint.errors(404, 409)
def cancel(campaign_id: int) -> Any:
    """Cancel: what has not left stays, and its credits come back."""
    return reconciling.cancel_campaign(g.shop_id, campaign_id)


@blueprint.post("/campaigns/<id:campaign_id>/pause")
@blueprint.data(200, CampaignSchema)
@blueprint.errors(404, 409)
def pause(campaign_id: int) -> Any:
    """Stop sending for now."""
    states.pause(g.shop_id, campaign_id)
    return reading.show_campaign(g.shop_id, campaign_id)


@blueprint.post("/campaigns/<id:campaign_id>/resume")
@blueprint.data(200, CampaignSchema)
@blueprint.errors(402, 403, 404, 409)
def resume(campaign_id: int) -> Any:
    """Go on with a paused campaign."""
    sending.resume(g.shop_id, campaign_id)
    return reading.show_campaign(g.shop_id, campaign_id)


@blueprint.post("/campaigns/<id:campaign_id>/retry-failed")
@blueprint.data(200, RetriedSchema)
@blueprint.errors(402, 403, 404, 409)
def retry_failed(campaign_id: int) -> Any:
    """Send again what failed before it was accepted, once per Idempotency-Key."""
    return states.retry_failed(g.shop_id, campaign_id, key=idempotency_key())


@blueprint.post("/campaigns/<id:campaign_id>/test")
@blueprint.arguments(TestIn)
@blueprint.data(200, TestSentSchema)
@blueprint.errors(402, 403, 404, 409)
def send_test(body: Body, campaign_id: int) -> Any:
    """Text the campaign to one number, at the price of one message."""
    return testing.send_test(g.shop_id, campaign_id, body["phone"])


@blueprint.get("/campaigns/<id:campaign_id>/metrics")
@blueprint.data(200, MetricsSchema)
@blueprint.errors(404)
def metrics(campaign_id: int) -> Any:
    """The campaign's numbers and rates."""
    return reading.measured_campaign(g.shop_id, campaign_id)


@blueprint.get("/campaigns/<id:campaign_id>/status")
@blueprint.data(200, StatusSchema)
@blueprint.errors(404)
def status(campaign_id: int) -> Any:
    """The campaign's status and numbers, cheap enough to ask every two seconds."""
    return reading.show_campaign(g.shop_id, campaign_id)


@blueprint.get("/campaigns/<id:campaign_id>/progress")
@blueprint.data(200, ProgressSchema)
@blueprint.errors(404)
def progress(campaign_id: int) -> Any:
    """How far the sending is."""
    return reading.show_campaign(g.shop_id, campaign_id)


@blueprint.get("/campaigns/<id:campaign_id>/failed-recipients")
@blueprint.arguments(FailedQuery, location="query")
@blueprint.data(200, FailedRecipientsSchema)
@blueprint.errors(404)
def failed_recipients(query: Body, campaign_id: int) -> Any:
    """List those whom the campaign did not reach, newest first."""
    return reading.failed_recipients(g.shop_id, campaign_id, **query)


@blueprint.post("/campaigns/<id:campaign_id>/update-status")
@blueprint.data(200, UpdatedStatusSchema)
@blueprint.errors(404)
def update_status(campaign_id: int) -> Any:
    """Ring for what may move the campaign on, and give its numbers as they are."""
    return reconciling.update_status(g.shop_id, campaign_id)


@blueprint.post("/campaigns/<id:campaign_id>/reconcile")
@blueprint.arguments(StaleQuery, location="query")
@blueprint.data(200, ReconciledSchema)
@blueprint.errors(404)
def reconcile(query: Body, campaign_id: int) -> Any:
    """Close a campaign that has nothing left to send, or wake its senders."""
    return reconciling.reconcile(g.shop_id, campaign_id, **query)
