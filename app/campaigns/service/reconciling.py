"""Looking after a campaign by hand: what the sweeps do by themselves, at once and with an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from app.campaigns.models import CampaignStatus
from app.campaigns.service import states
from app.campaigns.service.figures import ShownCampaign
from app.campaigns.service.reading import show_campaign
from app.core.clock import now
from app.core.queue import wake
from app.core.uow import unit_of_work
from app.messaging.service import runs

IDS_SHOWN = 100


@dataclass(frozen=True)
class CancelledCampaign(ShownCampaign):
    """A campaign that was cancelled, and how many of its messages never left."""

    cancelled: int = 0


@dataclass(frozen=True)
class Reconciled:
    """What was found and done. `stale` says that nothing has happened for longer than was asked about."""

    shown: ShownCampaign
    action: str
    stale: bool
    pending_recipient_ids: Sequence[int] = ()
    final_status: str | None = None
    enqueued_jobs: int = 0


def cancel_campaign(shop_id: int, campaign_id: int) -> CancelledCampaign:
    """Cancel a campaign and show what became of it. Raises CampaignNotFound, InvalidStatus."""
    cancelled = states.cancel(shop_id, campaign_id)
    after = show_campaign(shop_id, campaign_id)
    return CancelledCampaign(after.campaign, after.counts, after.estimate, cancelled)


def update_status(shop_id: int, campaign_id: int) -> ShownCampaign:
    """Ring for what may move the campaign on, and give its numbers as they are. Raises CampaignNotFound."""
    before = show_campaign(shop_id, campaign_id)
    _wake(before)
    return before


def reconcile(shop_id: int, campaign_id: int, *, stale_minutes: int) -> Reconciled:
    """Close a campaign that has nothing left to send, or ring for its senders. Raises CampaignNotFound.

    Nothing is sent twice: a sender claims only messages that are pending, and closing asks the counters.
    """
    before = show_campaign(shop_id, campaign_id)
    stale = _is_stale(before, timedelta(minutes=stale_minutes))
    if before.campaign.status != CampaignStatus.SENDING:
        return Reconciled(before, "noop", stale)
    states.finish(shop_id, campaign_id)
    after = show_campaign(shop_id, campaign_id)
    if after.campaign.status != CampaignStatus.SENDING:
        return Reconciled(after, "finalized", stale, final_status=after.status)
    _wake(after)
    done = Reconciled(after, "re_enqueued", stale, enqueued_jobs=after.queued)
    if after.campaign.run_id is None:
        return done
    with unit_of_work(shop_id):
        waiting = runs.pending_ids(shop_id, after.campaign.run_id, limit=IDS_SHOWN)
    return replace(done, pending_recipient_ids=waiting)


def _is_stale(one: ShownCampaign, patience: timedelta) -> bool:
    return one.campaign.status == CampaignStatus.SENDING and one.campaign.updated_at < now() - patience


def _wake(one: ShownCampaign) -> None:
    campaign = one.campaign
    if campaign.status != CampaignStatus.SENDING:
        return
    if campaign.frozen_at is None:
        wake("campaigns.freeze", campaign.shop_id, campaign.id)
    elif one.counts.is_drained:
        wake("campaigns.finish", campaign.shop_id, campaign.id)
    elif campaign.run_id is not None:
        wake("messaging.send", campaign.shop_id, campaign.run_id)
