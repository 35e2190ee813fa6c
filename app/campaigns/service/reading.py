"""Looking at campaigns: the list, one of them, its numbers, its failures. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from app.campaigns import queries
from app.campaigns.errors import InvalidFilter
from app.campaigns.models import Campaign, CampaignStatus
from app.campaigns.queries import CampaignFilter
from app.campaigns.service.figures import SENT, MeasuredCampaign, ShownCampaign, with_figures
from app.campaigns.service.states import find
from app.connections.service.tokens import is_connected
from app.core.http.pagination import Page
from app.core.uow import unit_of_work
from app.messaging.service import runs, statistics
from app.orders.service import selling

RECENT = 5


@dataclass(frozen=True)
class Summary:
    """The shop's campaigns by status, and the latest of them."""

    total: int
    by_status: dict[str, int]
    recent: Sequence[ShownCampaign]

    @property
    def stats(self) -> dict[str, Any]:
        return {"total": self.total, "by_status": self.by_status}


@dataclass(frozen=True)
class FailedRecipient:
    """Somebody whom the text did not reach, and why."""

    id: int
    phone: str
    failure: str | None
    updated_at: datetime
    contact: Row[Any] | None


@dataclass(frozen=True)
class FailedRecipients(Page[FailedRecipient]):
    """One page of those whom a campaign did not reach."""

    campaign_id: int = 0


def read_status(word: str | None) -> str | None:
    """The stored status that a filter names; `sent` means completed. Raises InvalidFilter."""
    if word is None:
        return None
    if word == SENT:
        return CampaignStatus.COMPLETED
    if word not in set(CampaignStatus):
        raise InvalidFilter
    return word


def list_campaigns(
    shop_id: int,
    *,
    page: int,
    page_size: int,
    status: str | None = None,
    search: str | None = None,
    sort_by: str = "createdAt",
    sort_order: str = "desc",
) -> Page[ShownCampaign]:
    """One page of the shop's campaigns, in a fixed number of statements. Raises InvalidFilter."""
    wanted = CampaignFilter(read_status(status), search, sort_by, sort_order)
    with unit_of_work(shop_id) as session:
        chosen = queries.matching(shop_id, wanted)
        total = session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
        ordered = queries.ordered(chosen, wanted).limit(page_size).offset((page - 1) * page_size)
        shown = with_figures(shop_id, session.scalars(ordered).all())
    return Page(shown, total, page, page_size)


def summarize(shop_id: int) -> Summary:
    """The shop's campaigns counted by status; `completed` and `sent` are the same number."""
    with unit_of_work(shop_id) as session:
        counted = queries.count_by_status(shop_id)
        newest = queries.ordered(queries.matching(shop_id, CampaignFilter()), CampaignFilter())
        recent = with_figures(shop_id, session.scalars(newest.limit(RECENT)).all())
    by_status = {str(status): counted.get(status, 0) for status in CampaignStatus}
    total = sum(by_status.values())
    return Summary(total, by_status | {SENT: by_status[CampaignStatus.COMPLETED]}, recent)


def show_campaign(shop_id: int, campaign_id: int) -> ShownCampaign:
    """The campaign with its numbers. Raises CampaignNotFound."""
    with unit_of_work(shop_id):
        return shown(shop_id, find(shop_id, campaign_id))


def measured_campaign(shop_id: int, campaign_id: int) -> MeasuredCampaign:
    """The campaign with its numbers, and what its newest run sold where orders are told of.

    Raises CampaignNotFound.
    """
    with unit_of_work(shop_id):
        campaign = find(shop_id, campaign_id)
        sold = None
        if campaign.run_id and is_connected(shop_id):
            sold = selling.conversions_of(shop_id, campaign.run_id)
        one = shown(shop_id, campaign)
        return MeasuredCampaign(one.campaign, one.counts, one.estimate, conversions=sold)


def shown(shop_id: int, campaign: Campaign) -> ShownCampaign:
    """A campaign that was read, with its numbers. A step."""
    return with_figures(shop_id, [campaign])[0]


def failed_recipients(shop_id: int, campaign_id: int, *, page: int, page_size: int) -> FailedRecipients:
    """Whom the newest run did not reach, newest first; counters give the total. Raises CampaignNotFound."""
    with unit_of_work(shop_id):
        one = shown(shop_id, find(shop_id, campaign_id))
        run_id = one.campaign.run_id
        rows = runs.failed_messages(shop_id, run_id, page=page, page_size=page_size) if run_id else []
    recipients = [
        FailedRecipient(row.id, row.phone, row.failure, row.updated_at, _contact(row)) for row in rows
    ]
    return FailedRecipients(recipients, one.failed, page, page_size, campaign_id)


def _contact(row: Row[Any]) -> Row[Any] | None:
    return row if row.contact_id is not None else None


def queue_stats(shop_id: int) -> dict[str, Any]:
    """Where the shop's messages are, and how its provider calls of the last hour went."""
    with unit_of_work(shop_id):
        messages, calls = statistics.queue_figures(shop_id)
    is_busy = bool(messages["waiting"] or messages["active"])
    return {
        "counts": dict(messages),
        "processing": {
            "jobs_per_hour": calls["settled"] + calls["expired"],
            "recent_completed": calls["settled"],
            "recent_failed": calls["expired"],
        },
        "health": {"status": "processing" if is_busy else "idle", "has_failures": calls["expired"] > 0},
    }
