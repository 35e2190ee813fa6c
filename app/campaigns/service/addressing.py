"""Whom a campaign is for, and whom it is from."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from app.audiences import service as audiences
from app.audiences.queries import recipients
from app.campaigns.models import Campaign
from app.core.uow import require_unit_of_work
from app.messaging.service import runs
from app.messaging.states import Source
from app.shops import service as shops
from app.shops.service import Shop


def recipients_of(campaign: Campaign) -> Select[Any]:
    """Who would get the campaign now. A step. Raises AudienceNotFound."""
    audience = audiences.require_audience(campaign.shop_id, campaign.audience)
    people = recipients(campaign.shop_id, audience)
    if campaign.run_no < campaign.first_run_no:
        return people
    # Taken up again after a cancellation: those whom an earlier run has reached are not texted twice.
    return people.where(~_was_reached(campaign, people))


def already_texted(campaign: Campaign) -> int:
    """How many of the audience a run that was cancelled has reached. A step. Raises AudienceNotFound."""
    if campaign.run_no < campaign.first_run_no:
        return 0
    audience = audiences.require_audience(campaign.shop_id, campaign.audience)
    people = recipients(campaign.shop_id, audience)
    reached = people.where(_was_reached(campaign, people)).subquery()
    return require_unit_of_work().scalars(select(func.count()).select_from(reached)).one()


def _was_reached(campaign: Campaign, people: Select[Any]) -> ColumnElement[bool]:
    phone, first = people.selected_columns.phone, campaign.first_run_no
    return runs.was_reached(phone, campaign.shop_id, Source.CAMPAIGN, campaign.id, from_run_no=first)


def sender_of(campaign: Campaign, shop: Shop) -> str:
    """What recipients see as the sender: the campaign's own, else the shop's."""
    return campaign.meta.get("senderId") or shops.sender_of(shop)
