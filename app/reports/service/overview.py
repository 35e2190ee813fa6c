"""The reports put together: the overview, and the few figures above it."""

from __future__ import annotations

from dataclasses import dataclass

from app.campaigns.models import CampaignStatus
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.reports import queries
from app.reports.service import automations
from app.reports.service.days import Figures, days_of
from app.reports.service.people import People, count_people
from app.reports.service.reading import (
    HEALTHY_CREDITS,
    RECENT_DAYS,
    automations_report,
    campaigns_report,
    contacts_report,
    count_all_campaigns,
    credits_report,
)
from app.reports.service.reported import (
    AutomationsReport,
    CampaignsReport,
    ContactsReport,
    CreditsReport,
    Report,
)
from app.reports.service.windows import Window, last_days, window
from app.shops import service as shops


@dataclass(frozen=True)
class Kpis(Report):
    """The shop now, and its last seven days."""

    campaigns: int
    people: People
    active_automations: int
    credits: int
    recent: Figures
    recent_automated: int
    recent_campaigns: int
    new_contacts: int

    @property
    def health(self) -> dict[str, str]:
        return {
            "creditStatus": "healthy" if self.credits > HEALTHY_CREDITS else "low",
            "contactGrowth": "active" if self.new_contacts else "inactive",
            "automationHealth": "active" if self.active_automations else "inactive",
        }

    @property
    def recent_activity(self) -> dict[str, int]:
        return {
            "campaigns": self.recent_campaigns,
            "messages": self.recent.sent,
            "automations": self.recent_automated,
        }


@dataclass(frozen=True)
class Overview(Report):
    """Every report's summary over one window."""

    window: Window
    kpis: Kpis
    figures: Figures
    campaigns: CampaignsReport
    automations: AutomationsReport
    credits: CreditsReport
    contacts: ContactsReport

    @property
    def active_campaigns(self) -> int:
        going = (CampaignStatus.SENDING, CampaignStatus.SCHEDULED)
        return sum(self.campaigns.by_status[status] for status in going)


def kpis(shop_id: int) -> Kpis:
    """The shop in a few figures."""
    with unit_of_work(shop_id):
        return kpis_now(shop_id)


def kpis_now(shop_id: int, people: People | None = None) -> Kpis:
    """As `kpis`; `people` where they have been counted. A step."""
    week = last_days(shop_id, RECENT_DAYS)
    active = queries.campaigns_within(shop_id, week.starts_at, week.ends_at)
    _, by_outcome = automations.attempts(shop_id, week.starts_at, week.ends_at)
    return Kpis(
        campaigns=count_all_campaigns(shop_id),
        people=people or count_people(shop_id, week.starts_at),
        active_automations=automations.count_active(shop_id),
        credits=credits.balance_of(shop_id).wallet,
        recent=days_of(shop_id, week).total(),
        recent_automated=sum(by_outcome.values()),
        recent_campaigns=sum(queries.count_campaigns(active).values()),
        new_contacts=queries.new_contacts(shop_id, week.starts_at, week.ends_at),
    )


def report_overview(shop_id: int, *, first: str | None = None, last: str | None = None) -> Overview:
    """All reports in one, in one transaction."""
    with unit_of_work(shop_id):
        shop = shops.find_shop(shop_id)  # held to the end: a session reads again what nobody holds
        over = window(shop.id, first, last)
        in_campaigns = campaigns_report(shop_id, over)
        in_contacts = contacts_report(shop_id, over)
        days = in_campaigns.days
        return Overview(
            window=over,
            kpis=kpis_now(shop_id, in_contacts.people),
            figures=days.total(),
            campaigns=in_campaigns,
            automations=automations_report(shop_id, over, days),
            credits=credits_report(shop_id, over, days),
            contacts=in_contacts,
        )
