"""Writing campaigns: create, change, schedule, delete.

Every change begins with one statement that checks the status and locks the row, so nothing is edited that a
sender has meanwhile claimed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, update
from sqlalchemy.exc import IntegrityError

from app.audiences import service as audiences
from app.campaigns.errors import DuplicateName, InvalidStatus
from app.campaigns.models import Campaign, CampaignStatus, ScheduleType
from app.campaigns.service import discounting
from app.campaigns.service.figures import ShownCampaign
from app.campaigns.service.moments import FIELD, read_moment, require_future
from app.campaigns.service.reading import shown
from app.campaigns.service.states import find
from app.core.activity import record
from app.core.cache import changed
from app.core.clock import now
from app.core.errors import ValidationFailed
from app.core.uow import require_unit_of_work, unit_of_work
from app.shops import service as shops

Status = CampaignStatus
MAY_EDIT = (Status.DRAFT, Status.SCHEDULED)
MAY_SCHEDULE = (Status.DRAFT, Status.SCHEDULED, Status.CANCELLED)
MAY_DELETE = (Status.DRAFT, Status.SCHEDULED, Status.CANCELLED, Status.FAILED)
UNIQUE_NAME = "uq_campaigns_shop_id_name"
PLAIN_COLUMNS = ("name", "message", "discount_id", "priority")


@dataclass(frozen=True)
class Schedule:
    """When a campaign goes out: `at` for all but immediate ones, `recurring_days` for recurring ones."""

    type: ScheduleType
    at: datetime | None = None
    recurring_days: int | None = None

    @property
    def status(self) -> CampaignStatus:
        return Status.DRAFT if self.type == ScheduleType.IMMEDIATE else Status.SCHEDULED


def create_campaign(shop_id: int, given: Mapping[str, Any]) -> ShownCampaign:
    """Keep a new campaign: a draft, or scheduled when it says when.

    Raises ValidationFailed, InvalidAudience, AudienceNotFound, DuplicateName.
    """
    given = discounting.with_code(shop_id, given)
    with unit_of_work(shop_id) as session:
        campaign = Campaign(shop_id=shop_id, meta={})
        _write(campaign, given)
        _set_schedule(campaign, _schedule(campaign, given))
        session.add(campaign)
        _save()
        session.refresh(campaign)
        changed(shop_id, "campaigns")
        record(shop_id, "campaign.created", "campaign", campaign.id, status=campaign.status)
        return shown(shop_id, campaign)


def update_campaign(shop_id: int, campaign_id: int, changes: Mapping[str, Any]) -> ShownCampaign:
    """Change what is given of a draft or scheduled campaign; naming a schedule type moves it between the two.

    Raises CampaignNotFound, InvalidStatus and whatever `create_campaign` raises.
    """
    changes = discounting.with_code(shop_id, changes)
    with unit_of_work(shop_id):
        campaign = claim_for_change(shop_id, campaign_id, MAY_EDIT)
        _write(campaign, changes)
        if changes.keys() & {"schedule_type", "schedule_at", "recurring_days"}:
            _set_schedule(campaign, _schedule(campaign, changes))
        campaign.last_enqueue_error = None
        _save()
        changed(shop_id, "campaigns")
        record(shop_id, "campaign.updated", "campaign", campaign_id, changed=sorted(changes))
        return shown(shop_id, campaign)


def schedule_campaign(shop_id: int, campaign_id: int, given: Mapping[str, Any]) -> ShownCampaign:
    """Let a campaign go out later. A cancelled one that had begun becomes a fresh sending, to everybody.

    Raises CampaignNotFound, InvalidStatus, ValidationFailed.
    """
    with unit_of_work(shop_id):
        campaign = claim_for_change(shop_id, campaign_id, MAY_SCHEDULE)
        if given.get("schedule_at") is None:
            raise ValidationFailed(FIELD, "is required")
        _set_schedule(campaign, _schedule(campaign, given))
        if campaign.status_before == Status.CANCELLED:
            campaign.run_id = campaign.frozen_at = campaign.started_at = campaign.finished_at = None
        campaign.last_enqueue_error = None
        _save()
        changed(shop_id, "campaigns")
        record(shop_id, "campaign.scheduled", "campaign", campaign_id, type=campaign.schedule_type)
        return shown(shop_id, campaign)


def delete_campaign(shop_id: int, campaign_id: int) -> None:
    """Forget a campaign that is not being sent and was not sent. Messages of a cancelled one stay on record.

    There is no credit to give back: cancelling has done that. Raises CampaignNotFound, InvalidStatus.
    """
    with unit_of_work(shop_id) as session:
        never_frozen = (Campaign.status == Status.PAUSED) & Campaign.frozen_at.is_(None)
        gone = session.scalar(
            delete(Campaign)
            .where(*_mine(shop_id, campaign_id), or_(Campaign.status.in_(MAY_DELETE), never_frozen))
            .returning(Campaign.id)
        )
        if gone is None:
            raise InvalidStatus(find(shop_id, campaign_id).status)
        changed(shop_id, "campaigns")
        record(shop_id, "campaign.deleted", "campaign", campaign_id)


def claim_for_change(shop_id: int, campaign_id: int, allowed: tuple[Status, ...]) -> Campaign:
    """The campaign, locked, if its status is one of `allowed`; `status_before` says which. A step.

    Raises CampaignNotFound, InvalidStatus.
    """
    claimed = require_unit_of_work().scalar(
        update(Campaign)
        .where(*_mine(shop_id, campaign_id), Campaign.status.in_(allowed))
        .values(status_before=Campaign.status, updated_at=now())
        .returning(Campaign)
        .execution_options(populate_existing=True)
    )
    if claimed is None:
        raise InvalidStatus(find(shop_id, campaign_id).status)
    return claimed


def _mine(shop_id: int, campaign_id: int) -> tuple[ColumnElement[bool], ...]:
    return Campaign.shop_id == shop_id, Campaign.id == campaign_id


def _write(campaign: Campaign, given: Mapping[str, Any]) -> None:
    """Put what is given, the schedule apart, on the campaign. None under `meta` takes an entry away."""
    kept = dict(campaign.meta)
    if given.get("discount_id", campaign.discount_id) != campaign.discount_id:
        kept.pop(discounting.CODE, None)  # that of another discount
    for column in PLAIN_COLUMNS:
        if column in given:
            setattr(campaign, column, given[column])
    if "audience" in given:
        audience = audiences.require_audience(campaign.shop_id, given["audience"])
        campaign.audience = audiences.canonical(audience)
    discounting.require_pool(campaign.shop_id, given.get("meta", {}))
    merged = {**kept, **given.get("meta", {})}
    campaign.meta = {name: value for name, value in merged.items() if value is not None}


def _schedule(campaign: Campaign, given: Mapping[str, Any]) -> Schedule:
    """When the campaign goes out: what is given, else what it has. Raises ValidationFailed."""
    type_ = ScheduleType(given.get("schedule_type") or campaign.schedule_type or ScheduleType.IMMEDIATE)
    if type_ == ScheduleType.IMMEDIATE:
        return Schedule(type_)
    at = campaign.schedule_at
    if given.get("schedule_at") is not None:
        zone = shops.zone_of(shops.find_shop(campaign.shop_id))
        at = require_future(read_moment(given["schedule_at"], zone))
    if type_ == ScheduleType.SCHEDULED:
        if at is None:
            raise ValidationFailed(FIELD, "is required for a scheduled campaign")
        return Schedule(type_, require_future(at))
    days = given.get("recurring_days") or campaign.recurring_days
    if days is None:
        raise ValidationFailed("recurringDays", "is required for a recurring campaign")
    return Schedule(type_, max(at or now(), now()), days)  # without a time it starts at once


def _set_schedule(campaign: Campaign, schedule: Schedule) -> None:
    campaign.schedule_type = schedule.type
    campaign.schedule_at = schedule.at
    campaign.recurring_days = schedule.recurring_days
    campaign.status = schedule.status


def _save() -> None:
    """Write what was changed. Raises DuplicateName: the constraint knows who else has that name."""
    try:
        require_unit_of_work().flush()  # the refusal and the generated columns are wanted now
    except IntegrityError as broken:
        if broken.orig.diag.constraint_name == UNIQUE_NAME:  # type: ignore[union-attr]
            raise DuplicateName from None
        raise
