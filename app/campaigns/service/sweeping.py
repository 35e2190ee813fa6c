"""What the clock does with campaigns: starts the due ones, and repairs what a lost doorbell left behind."""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy import ColumnElement, func, select, update

from app.campaigns import queries
from app.campaigns.errors import AlreadySending, CampaignNotFound, InvalidStatus
from app.campaigns.models import Campaign
from app.campaigns.models import CampaignStatus as Status
from app.campaigns.service.discounting import look_again
from app.campaigns.service.sending import start
from app.core.cache import changed
from app.core.clock import now
from app.core.errors import DomainError
from app.core.queue import wake
from app.core.uow import across_shops, unit_of_work
from app.discounts.service import pools
from app.messaging.service import runs

log = structlog.get_logger(__name__)

TOO_LATE = timedelta(hours=24)


class MissedItsTime(DomainError):
    code = "MISSED_SCHEDULE"
    message = "The campaign was not sent because its time had passed by more than a day."


def start_due() -> int:
    """Start every scheduled campaign whose time has come, by the same claim as the button. Returns how many.

    A refused one goes back to draft with the reason; one that is more than a day late is not sent any more.
    """
    with across_shops("due campaigns belong to any shop") as session:
        due = session.execute(
            select(Campaign.shop_id, Campaign.id, func.coalesce(Campaign.schedule_at, func.now()))
            .where(*_is_due())
            .order_by(Campaign.schedule_at)
            .limit(50)
        ).all()
    for shop_id, campaign_id, schedule_at in due:
        try:
            if schedule_at < now() - TOO_LATE:
                raise MissedItsTime
            look_again(shop_id, campaign_id)
            with unit_of_work(shop_id):
                start(shop_id, campaign_id, *_is_due())
        except (AlreadySending, CampaignNotFound, InvalidStatus):
            continue  # somebody was quicker: sent, cancelled, moved or deleted it
        except DomainError as refusal:
            _shelve(shop_id, campaign_id, refusal)
    return len(due)


def wake_unfrozen_and_drained() -> None:
    """Ring for campaigns that wait for their audience or only for their end: whatever doorbell was lost."""
    with across_shops("sending campaigns belong to any shop") as session:
        rows = session.execute(
            select(Campaign.shop_id, Campaign.id, Campaign.frozen_at)
            .where(Campaign.status == Status.SENDING, Campaign.updated_at < func.now() - timedelta(seconds=5))
            .order_by(func.random())  # no campaign is always behind five hundred others
            .limit(500)
        ).all()
    for shop_id, campaign_id, frozen_at in rows:
        wake("campaigns.finish" if frozen_at else "campaigns.freeze", shop_id, campaign_id)


def skip_stragglers() -> None:
    """Skip what waits again although its campaign was cancelled: the carrier had put it off meanwhile."""
    with across_shops("cancelled campaigns belong to any shop"):
        rows = queries.cancelled_with_pending(500)
    for shop_id, campaign_id in rows:
        with unit_of_work(shop_id) as session:
            campaign = session.scalar(
                select(Campaign)
                .where(Campaign.shop_id == shop_id, Campaign.id == campaign_id)
                .where(Campaign.status == Status.CANCELLED)  # it may have been sent after all
                .with_for_update()
            )
            if campaign is not None and campaign.run_id:
                runs.cancel(shop_id, campaign.run_id)
                pools.give_back(shop_id, campaign.run_id)


def _is_due() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Campaign.status == Status.SCHEDULED, Campaign.schedule_at <= func.now()


def _shelve(shop_id: int, campaign_id: int, refusal: DomainError) -> None:
    """Take a due campaign that could not start off the schedule, with the reason on it."""
    with unit_of_work(shop_id) as session:
        session.execute(
            update(Campaign)
            .where(Campaign.shop_id == shop_id, Campaign.id == campaign_id, *_is_due())
            .values(
                status=Status.FAILED if isinstance(refusal, MissedItsTime) else Status.DRAFT,
                last_enqueue_error=f"{refusal.code}: {refusal.message}",
                updated_at=func.now(),
            )
        )
        changed(shop_id, "campaigns")
    log.warning("campaign_shelved", campaign_id=campaign_id, code=refusal.code)
