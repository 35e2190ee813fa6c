"""Reading campaigns: the filtered list, and what only SQL can count. All need the caller's unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, exists, func, or_, select
from sqlalchemy.engine import RowMapping

from app.audiences.queries import audience_condition
from app.audiences.service import Audience
from app.campaigns.models import Campaign, CampaignStatus
from app.contacts.queries import Consent, Contact, Suppression
from app.core.uow import require_unit_of_work
from app.messaging.service import runs

SORTABLE: dict[str, Any] = {
    "createdAt": Campaign.created_at,
    "updatedAt": Campaign.updated_at,
    "name": Campaign.name,
    "scheduleAt": Campaign.schedule_at,
}

# A call that was under way when the campaign was cancelled ends within minutes; a day allows for a scheduler
# that was down.
STRAGGLE = timedelta(days=1)


@dataclass(frozen=True)
class CampaignFilter:
    """Which campaigns, in which order. None means no such condition."""

    status: str | None = None
    search: str | None = None
    sort_by: str = "createdAt"
    sort_order: str = "desc"


def matching(shop_id: int, wanted: CampaignFilter) -> Select[Campaign]:
    """The shop's campaigns that meet every condition of `wanted`."""
    chosen = select(Campaign).where(Campaign.shop_id == shop_id)
    if wanted.status:
        chosen = chosen.where(Campaign.status == wanted.status)
    if wanted.search:
        found = (
            column.icontains(wanted.search, autoescape=True) for column in (Campaign.name, Campaign.message)
        )
        chosen = chosen.where(or_(*found))
    return chosen


def ordered(campaigns: Select[Campaign], wanted: CampaignFilter) -> Select[Campaign]:
    """`campaigns` in the wanted order, the newest id deciding between equals; missing times come last."""
    column = SORTABLE[wanted.sort_by]
    if wanted.sort_order == "desc":
        return campaigns.order_by(column.desc().nulls_last(), Campaign.id.desc())
    return campaigns.order_by(column.asc().nulls_last(), Campaign.id.asc())


def count_by_status(shop_id: int) -> dict[str, int]:
    """How many campaigns the shop has in each stored status."""
    counted = (
        select(Campaign.status, func.count().label("total"))
        .where(Campaign.shop_id == shop_id)
        .group_by(Campaign.status)
    )
    return {row.status: row.total for row in require_unit_of_work().execute(counted)}


def excluded_contacts(shop_id: int, audience: Audience) -> RowMapping:
    """Who is in the audience but gets no text, each person under one reason, in one statement."""
    suppressed = exists().where(Suppression.shop_id == Contact.shop_id, Suppression.phone == Contact.phone)
    counted = select(
        func.count().filter(Contact.consent == Consent.OPTED_OUT).label("opted_out"),
        func.count().filter(Contact.consent == Consent.UNKNOWN, ~suppressed).label("unknown_consent"),
        func.count().filter(Contact.consent != Consent.OPTED_OUT, suppressed).label("suppressed"),
    ).where(Contact.shop_id == shop_id, audience_condition(shop_id, audience))
    return require_unit_of_work().execute(counted).mappings().one()


def contact_with_phone(shop_id: int, phone: str) -> RowMapping | None:
    """The merge values of the shop's contact with this number, if it has one."""
    wanted = select(Contact.id, Contact.phone, Contact.first_name, Contact.last_name, Contact.email)
    found = wanted.where(Contact.shop_id == shop_id, Contact.phone == phone)
    return require_unit_of_work().execute(found).mappings().one_or_none()


def cancelled_with_pending(limit: int) -> Sequence[Row[int, int]]:
    """Campaigns of any shop (shop_id, id) that were cancelled lately and have messages waiting again."""
    found = (
        select(Campaign.shop_id, Campaign.id)
        .where(Campaign.status == CampaignStatus.CANCELLED, Campaign.finished_at > func.now() - STRAGGLE)
        .where(runs.has_pending(Campaign.run_id))
        .order_by(Campaign.id)
        .limit(limit)
    )
    return require_unit_of_work().execute(found).all()
