"""Reading figures. Everything is an aggregate over counted quarters of an hour, never over messages.

All of it needs the caller's unit of work.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, or_, select, text

from app.campaigns import queries as campaigns
from app.campaigns.queries import Campaign, CampaignFilter
from app.contacts.queries import Contact
from app.core.uow import require_unit_of_work
from app.messaging.states import Source
from app.reports.models import RunQuarter

# width_bucket numbers the days from 1: `starts` are the instants at which the shop's days begin.
BY_DAY = text("""
    SELECT width_bucket(quarter_at, CAST(:starts AS timestamptz[])) AS day_no, source,
      sum(sent)::bigint AS sent, sum(delivered)::bigint AS delivered, sum(failed)::bigint AS failed,
      sum(credits)::bigint AS credits
    FROM run_quarters
    WHERE shop_id = :shop_id AND quarter_at >= :starts_at AND quarter_at < :ends_at
      AND (CAST(:source_id AS bigint) IS NULL OR source = 'campaign' AND source_id = :source_id)
    GROUP BY 1, 2""")

BY_CAMPAIGN = text("""
    SELECT source_id AS campaign_id, sum(sent)::bigint AS sent, sum(delivered)::bigint AS delivered,
      sum(failed)::bigint AS failed, sum(credits)::bigint AS credits
    FROM run_quarters
    WHERE shop_id = :shop_id AND quarter_at >= :starts_at AND quarter_at < :ends_at
      AND source = 'campaign' AND (CAST(:ids AS bigint[]) IS NULL OR source_id = ANY (CAST(:ids AS bigint[])))
    GROUP BY source_id""")


def by_day(
    shop_id: int, starts: Sequence[datetime], ends_at: datetime, *, campaign_id: int | None = None
) -> Sequence[Row[Any]]:
    """The figures of each day (numbered from 1) and source; days and sources without any are left out."""
    given = {"starts": list(starts), "starts_at": starts[0], "ends_at": ends_at, "source_id": campaign_id}
    return require_unit_of_work().execute(BY_DAY, {"shop_id": shop_id, **given}).all()


def by_campaign(
    shop_id: int, starts_at: datetime, ends_at: datetime, ids: Sequence[int] | None = None
) -> dict[int, Row[Any]]:
    """The figures of each campaign that had any in the time, or of those with `ids` only."""
    given = {"shop_id": shop_id, "starts_at": starts_at, "ends_at": ends_at, "ids": ids}
    return {row.campaign_id: row for row in require_unit_of_work().execute(BY_CAMPAIGN, given)}


def opted_out_since(shop_id: int, since: datetime) -> int:
    """How many contacts have opted out since then, and still are out."""
    left = select(func.count()).where(Contact.shop_id == shop_id, Contact.unsubscribed_at >= since)
    return require_unit_of_work().scalar(left) or 0


def new_contacts(shop_id: int, starts_at: datetime, ends_at: datetime) -> int:
    """How many contacts were added in the time."""
    added = select(func.count()).where(
        Contact.shop_id == shop_id, Contact.created_at >= starts_at, Contact.created_at < ends_at
    )
    return require_unit_of_work().scalar(added) or 0


def campaigns_within(
    shop_id: int, starts_at: datetime, ends_at: datetime, status: str | None = None
) -> Select[Campaign]:
    """The campaigns that were written in the time, or whose messages moved in it."""
    moved = select(RunQuarter.source_id).where(
        RunQuarter.shop_id == shop_id,
        RunQuarter.quarter_at >= starts_at,
        RunQuarter.quarter_at < ends_at,
        RunQuarter.source == Source.CAMPAIGN,
    )
    written = (Campaign.created_at >= starts_at) & (Campaign.created_at < ends_at)
    chosen = campaigns.matching(shop_id, CampaignFilter(status=status))
    return chosen.where(or_(written, Campaign.id.in_(moved)))


def count_campaigns(chosen: Select[Campaign]) -> dict[str, int]:
    """How many of the chosen campaigns are in each stored status."""
    found = chosen.subquery()
    counted = select(found.c.status, func.count().label("total")).group_by(found.c.status)
    return {row.status: row.total for row in require_unit_of_work().execute(counted)}


def newest_campaigns(
    chosen: Select[Campaign], limit: int, *, offset: int = 0, below: int | None = None
) -> Sequence[Campaign]:
    """Some of the chosen campaigns, the newest first, those with an id `below` only when given."""
    if below is not None:
        chosen = chosen.where(Campaign.id < below)
    ordered = chosen.order_by(Campaign.id.desc()).limit(limit).offset(offset)
    return require_unit_of_work().scalars(ordered).all()


def campaigns_with_ids(shop_id: int, ids: Sequence[int]) -> dict[int, Campaign]:
    """Some of the shop's campaigns by their ids."""
    chosen = campaigns.matching(shop_id, CampaignFilter()).where(Campaign.id.in_(ids))
    return {one.id: one for one in require_unit_of_work().scalars(chosen)} if ids else {}
