"""Where a campaign stands, and what the merchant's buttons and its last message change about that."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, func, select, update

from app.campaigns.errors import AlreadySending, CampaignNotFound, InvalidStatus
from app.campaigns.models import Campaign, ScheduleType
from app.campaigns.models import CampaignStatus as Status
from app.core.activity import record
from app.core.cache import changed
from app.core.clock import now
from app.core.idempotency import once
from app.core.uow import require_unit_of_work, unit_of_work
from app.discounts.service import pools
from app.messaging.service import runs
from app.messaging.states import MessageState
from app.subscriptions.service import standing as subscriptions

log = structlog.get_logger(__name__)

MAY_CANCEL = (Status.SENDING, Status.SCHEDULED, Status.PAUSED)
MAY_RETRY = (Status.SENDING, Status.COMPLETED, Status.FAILED)


def find(shop_id: int, campaign_id: int) -> Campaign:
    """The campaign. A step. Raises CampaignNotFound."""
    campaign = require_unit_of_work().get(Campaign, campaign_id)
    if campaign is None or campaign.shop_id != shop_id:
        raise CampaignNotFound
    return campaign


def goes_on(campaign: Campaign, was: Status) -> bool:
    """Whether starting it in that state goes on with messages that are frozen already."""
    return was in {Status.PAUSED, Status.CANCELLED} and bool(campaign.run_id and campaign.frozen_at)


def move(
    shop_id: int,
    campaign_id: int,
    allowed: tuple[Status, ...],
    to: Status,
    *still: ColumnElement[bool],
    **values: Any,
) -> Campaign:
    """Move the campaign between states; of several callers at once exactly one succeeds. A step.

    `still` are more conditions that it must meet. Raises CampaignNotFound, InvalidStatus, AlreadySending.
    """
    moved = require_unit_of_work().scalar(
        update(Campaign)
        .where(Campaign.shop_id == shop_id, Campaign.id == campaign_id, Campaign.status.in_(allowed), *still)
        .values(status=to, status_before=Campaign.status, updated_at=func.now(), **values)
        .returning(Campaign)
        .execution_options(populate_existing=True)
    )
    if moved is None:
        status = find(shop_id, campaign_id).status
        raise AlreadySending if status == to == Status.SENDING else InvalidStatus(status)
    changed(shop_id, "campaigns")
    return moved


def pause(shop_id: int, campaign_id: int) -> None:
    """Stop claiming; at most the batches in hand still go out. Raises CampaignNotFound, InvalidStatus."""
    with unit_of_work(shop_id):
        campaign = move(shop_id, campaign_id, (Status.SENDING,), Status.PAUSED)
        record(shop_id, "campaign.paused", "campaign", campaign_id)
        if campaign.run_id:
            runs.pause(shop_id, campaign.run_id)


def cancel(shop_id: int, campaign_id: int) -> int:
    """Cancel a campaign; what was not yet claimed never leaves and its credits go back. Returns how many.

    Raises CampaignNotFound, InvalidStatus.
    """
    with unit_of_work(shop_id):
        campaign = move(shop_id, campaign_id, MAY_CANCEL, Status.CANCELLED, finished_at=now())
        unsent = runs.cancel(shop_id, campaign.run_id) if campaign.run_id else 0
        if campaign.run_id:
            pools.give_back(shop_id, campaign.run_id)
        record(shop_id, "campaign.cancelled", "campaign", campaign_id, unsent=unsent)
    return unsent


def retry_failed(shop_id: int, campaign_id: int, *, key: str | None = None) -> dict[str, Any]:
    """Send again what failed before acceptance, once per `key`; nobody who got it gets it twice.

    Raises CampaignNotFound, InvalidStatus, SubscriptionRequired, InsufficientCredits.
    """
    with unit_of_work(shop_id):
        return once(
            shop_id,
            key and f"retry:{key}",
            {"campaign": campaign_id},
            lambda: _send_failed_again(shop_id, campaign_id),
        )


def _send_failed_again(shop_id: int, campaign_id: int) -> dict[str, Any]:
    campaign = find(shop_id, campaign_id)
    if campaign.status not in MAY_RETRY or not campaign.run_id:
        raise InvalidStatus(campaign.status)
    subscriptions.require_active_subscription(shop_id)
    retried = runs.reopen(shop_id, campaign.run_id, MessageState.FAILED)
    if retried:
        move(shop_id, campaign_id, MAY_RETRY, Status.SENDING, finished_at=None)
    record(shop_id, "campaign.retried", "campaign", campaign_id, messages=retried)
    return {"ok": True, "campaign_id": campaign_id, "retried": retried, "enqueued_jobs": retried}


def finish(shop_id: int, campaign_id: int) -> None:
    """Close a campaign that has nothing pending or claimed; arm the next run of a recurring one."""
    with unit_of_work(shop_id) as session:
        campaign = session.scalar(
            select(Campaign)
            .where(Campaign.shop_id == shop_id, Campaign.id == campaign_id)
            .where(Campaign.status == Status.SENDING, Campaign.frozen_at.is_not(None))
            .with_for_update()
        )
        if campaign is None or not campaign.run_id:
            return
        counts = runs.counts_by_run(shop_id, [campaign.run_id])[campaign.run_id]
        if not counts.is_drained:
            return
        changed(shop_id, "campaigns")
        reached = counts.accepted + counts.unknown
        campaign.status = Status.COMPLETED if reached else Status.FAILED
        campaign.finished_at = campaign.updated_at = now()
        if campaign.schedule_type == ScheduleType.RECURRING and campaign.recurring_days:
            campaign.schedule_at = _next_time(campaign.schedule_at, timedelta(days=campaign.recurring_days))
            campaign.status = Status.SCHEDULED
            campaign.frozen_at = None
            campaign.first_run_no = campaign.run_no + 1  # the next one is a new sending: everybody again
    log.info("campaign_finished", campaign_id=campaign_id, status=campaign.status)


def _next_time(last: datetime | None, every: timedelta) -> datetime:
    """The next time of a recurring campaign: in step with the last one, but never in the past."""
    following = (last or now()) + every
    return following if following > now() else now() + every
