"""The reports. Each is one transaction with a fixed number of statements."""

from __future__ import annotations

from collections.abc import Sequence

from app.campaigns import queries as campaigns
from app.campaigns.models import CampaignStatus
from app.campaigns.service.reading import SENT, read_status
from app.campaigns.service.states import find
from app.core.uow import unit_of_work
from app.credits import history
from app.credits import service as credits
from app.messaging.service import statistics
from app.messaging.states import Source
from app.reports import queries
from app.reports.service import automations
from app.reports.service.days import NOTHING, Days, Figures, add, days_of
from app.reports.service.people import count_people
from app.reports.service.reported import (
    AutomationsReport,
    CampaignReport,
    CampaignsReport,
    ContactsReport,
    CreditsReport,
    MessagingReport,
    ReportedCampaign,
)
from app.reports.service.windows import Window, last_days, window
from app.shops import service as shops

TOP = 5
RECENT_DAYS = 7
HEALTHY_CREDITS = 100
PAGE = 1, 20


def report_campaigns(
    shop_id: int,
    *,
    first: str | None = None,
    last: str | None = None,
    status: str | None = None,
    page: int = PAGE[0],
    page_size: int = PAGE[1],
) -> CampaignsReport:
    """The campaigns that were written, or whose messages moved, in the window. Raises InvalidFilter."""
    chosen_status = read_status(status)
    with unit_of_work(shop_id):
        days = window(shop_id, first, last)
        return campaigns_report(shop_id, days, chosen_status, page, page_size)


def campaigns_report(
    shop_id: int, over: Window, status: str | None = None, page: int = PAGE[0], page_size: int = PAGE[1]
) -> CampaignsReport:
    """As `report_campaigns`. A step."""
    chosen = queries.campaigns_within(shop_id, over.starts_at, over.ends_at, status)
    by_status = queries.count_campaigns(chosen)
    total = sum(by_status.values())
    shown = queries.newest_campaigns(chosen, page_size, offset=(page - 1) * page_size)
    figures, days = figures_of_campaigns(shop_id, over), days_of(shop_id, over)
    known = queries.campaigns_with_ids(shop_id, list(figures))
    mine = {id_: own for id_, own in figures.items() if id_ in known and status in {None, known[id_].status}}
    best = sorted(mine, key=lambda id_: (-mine[id_].delivered, -mine[id_].sent, -id_))[:TOP]
    return CampaignsReport(
        [ReportedCampaign(one, figures.get(one.id, NOTHING)) for one in shown],
        total,
        page,
        page_size,
        window=over,
        days=days,
        total_figures=add(mine.values()) if status else days.total(Source.CAMPAIGN),
        by_status=with_synonym(by_status),
        top=[ReportedCampaign(known[id_], mine[id_]) for id_ in best],
    )


def figures_of_campaigns(shop_id: int, over: Window, ids: Sequence[int] | None = None) -> dict[int, Figures]:
    """What each campaign's messages did in the window. A step."""
    found = queries.by_campaign(shop_id, over.starts_at, over.ends_at, ids)
    return {id_: Figures(row.sent, row.delivered, row.failed, row.credits) for id_, row in found.items()}


def with_synonym(by_status: dict[str, int]) -> dict[str, int]:
    """Every status with its count; `sent` is one client's word for `completed`."""
    every = {str(status): by_status.get(status, 0) for status in CampaignStatus}
    return every | {SENT: every[CampaignStatus.COMPLETED]}


def report_campaign(
    shop_id: int, campaign_id: int, *, first: str | None = None, last: str | None = None
) -> CampaignReport:
    """One campaign. Raises CampaignNotFound."""
    with unit_of_work(shop_id):
        campaign = find(shop_id, campaign_id)
        over = window(shop_id, first, last)
        spent = queries.by_campaign(
            shop_id, campaign.created_at, last_days(shop_id, 1).ends_at, [campaign_id]
        )
        return CampaignReport(
            ReportedCampaign(campaign),
            statistics.totals(shop_id, Source.CAMPAIGN, campaign_id),
            spent[campaign_id].credits if campaign_id in spent else 0,
            days_of(shop_id, over, campaign_id=campaign_id),
        )


def report_automations(
    shop_id: int, *, first: str | None = None, last: str | None = None
) -> AutomationsReport:
    """What automations did in the window."""
    with unit_of_work(shop_id):
        over = window(shop_id, first, last)
        return automations_report(shop_id, over, days_of(shop_id, over))


def automations_report(shop_id: int, over: Window, days: Days) -> AutomationsReport:
    """As `report_automations`. A step."""
    by_type, by_outcome = automations.attempts(shop_id, over.starts_at, over.ends_at)
    return AutomationsReport(
        over,
        days,
        automations.active(shop_id),
        automations.count_inactive(shop_id),
        by_type,
        by_outcome,
    )


def report_messaging(shop_id: int, *, first: str | None = None, last: str | None = None) -> MessagingReport:
    """Texts sent and received in the window."""
    with unit_of_work(shop_id):
        over = window(shop_id, first, last)
        inbound = statistics.inbound_count(shop_id, over.starts_at, over.ends_at)
        return MessagingReport(over, days_of(shop_id, over), inbound)


def report_credits(
    shop_id: int, *, first: str | None = None, last: str | None = None, usage_type: str = "all"
) -> CreditsReport:
    """Credits spent and bought in the window."""
    with unit_of_work(shop_id):
        over = window(shop_id, first, last)
        return credits_report(shop_id, over, days_of(shop_id, over), usage_type)


def credits_report(shop_id: int, over: Window, days: Days, usage_type: str = "all") -> CreditsReport:
    """As `report_credits`. A step."""
    return CreditsReport(
        over,
        days,
        credits.balance_of(shop_id).wallet,
        history.purchases(shop_id, over.starts_at, over.ends_at),
        shops.find_shop(shop_id).currency,
        usage_type,
    )


def report_contacts(shop_id: int, *, first: str | None = None, last: str | None = None) -> ContactsReport:
    """Who the contacts are, and who was reached in the window."""
    with unit_of_work(shop_id):
        return contacts_report(shop_id, window(shop_id, first, last))


def contacts_report(shop_id: int, over: Window) -> ContactsReport:
    """As `report_contacts`. A step."""
    people = count_people(shop_id, last_days(shop_id, RECENT_DAYS).starts_at)
    return ContactsReport(
        over,
        people,
        queries.new_contacts(shop_id, over.starts_at, over.ends_at),
        statistics.engaged_contacts(shop_id, over.starts_at, over.ends_at, contacts=people.total),
    )


def count_all_campaigns(shop_id: int) -> int:
    """How many campaigns the shop has, whatever their age. A step."""
    return sum(campaigns.count_by_status(shop_id).values())
