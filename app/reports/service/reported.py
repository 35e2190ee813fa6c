"""What each report found, and the figures that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from app.campaigns.models import Campaign, CampaignStatus
from app.campaigns.service.figures import shown_status
from app.core.http import Page
from app.messaging.service.runs import Counts
from app.messaging.states import Source
from app.reports.service.days import NOTHING, Day, Days, Figures, rate
from app.reports.service.people import People
from app.reports.service.windows import Window

USES = {"campaign": (Source.CAMPAIGN,), "manual": (Source.TEST, Source.SERVICE)}
PURCHASES_SHOWN = 10
PACKAGE_TYPE = "credit_topup"  # the only kind of package that there is


class Report:
    """Answers put some of a report's figures one level down."""

    @property
    def itself(self) -> Report:
        return self


@dataclass(frozen=True)
class ReportedCampaign:
    """A campaign and what its messages did in the window."""

    campaign: Campaign
    figures: Figures = NOTHING

    @property
    def status(self) -> str:
        return shown_status(self.campaign.status)


@dataclass(frozen=True)
class CampaignsReport(Page[ReportedCampaign], Report):
    """One page of campaigns, and the figures of all that were chosen."""

    window: Window
    days: Days
    total_figures: Figures
    by_status: dict[str, int]
    top: Sequence[ReportedCampaign]

    @property
    def trends(self) -> Sequence[Day]:
        return self.days.each(Source.CAMPAIGN)

    @property
    def status_breakdown(self) -> Sequence[dict[str, Any]]:
        """The statuses that occur, each once, in the client's words."""
        return [
            {"status": shown_status(status), "count": self.by_status[status]}
            for status in CampaignStatus
            if self.by_status[status]
        ]


@dataclass(frozen=True)
class CampaignReport(Report):
    """One campaign: all it ever did (`counts`, `credits`), and its days in the window."""

    reported: ReportedCampaign
    counts: Counts
    credits: int
    days: Days

    @property
    def failed(self) -> int:
        return self.counts.failed + self.counts.undelivered + self.counts.not_sent

    @property
    def delivery_rate(self) -> float:
        return rate(self.counts.delivered, self.counts.accepted)

    @property
    def still_in(self) -> int:
        return max(0, self.counts.recipients - self.counts.opted_out)

    @property
    def trends(self) -> Sequence[Day]:
        return self.days.each()


@dataclass(frozen=True)
class AutomationsReport(Report):
    """What automations did and sent. `inactive` are those that are switched off.

    `by_type` and `by_outcome` count the steps that came due, with what became of each.
    """

    window: Window
    days: Days
    active: Sequence[Any]
    inactive: int
    by_type: dict[str, int]
    by_outcome: dict[str, int]

    @property
    def figures(self) -> Figures:
        return self.days.total(Source.AUTOMATION)

    @property
    def triggered(self) -> int:
        return sum(self.by_outcome.values())

    @property
    def active_count(self) -> int:
        return len(self.active)

    @property
    def status_breakdown(self) -> Sequence[dict[str, Any]]:
        return [{"status": status, "count": count} for status, count in self.by_outcome.items()]

    @property
    def type_breakdown(self) -> Sequence[dict[str, Any]]:
        return [{"type": name, "count": count} for name, count in self.by_type.items()]

    @property
    def trends(self) -> Sequence[Day]:
        return self.days.each(Source.AUTOMATION)


@dataclass(frozen=True)
class MessagingReport(Report):
    """Texts both ways."""

    window: Window
    days: Days
    inbound: int

    @property
    def figures(self) -> Figures:
        return self.days.total()

    @property
    def total(self) -> int:
        return self.inbound + self.figures.sent

    @property
    def trends(self) -> Sequence[Day]:
        return self.days.each()


@dataclass(frozen=True)
class CreditsReport(Report):
    """What was spent in the window, what is left, what was bought. `used_for` narrows it to one use."""

    window: Window
    days: Days
    wallet: int
    purchases: Sequence[Row[Any]]
    currency: str
    used_for: str = "all"

    @property
    def sources(self) -> tuple[Source, ...]:
        return USES.get(self.used_for, ())

    @property
    def used(self) -> int:
        return self.days.total(*self.sources).credits

    @property
    def total(self) -> int:
        return self.wallet + self.used

    @property
    def trends(self) -> Sequence[Day]:
        return self.days.each(*self.sources)

    @property
    def purchase_count(self) -> int:
        return len(self.purchases)

    @property
    def recent_purchases(self) -> Sequence[dict[str, Any]]:
        """The newest purchases. What they cost in money is not in the ledger, so it is not told here."""
        return [
            {
                "id": row.id,
                "credits_added": row.amount,
                "amount": 0.0,
                "currency": self.currency,
                "package_type": PACKAGE_TYPE,
                "created_at": row.created_at,
            }
            for row in self.purchases[:PURCHASES_SHOWN]
        ]

    @property
    def average(self) -> float:
        return round(self.used / len(self.window.days), 2)

    @property
    def breakdown(self) -> Sequence[dict[str, Any]]:
        """By use; the shares add up to what was used. Automations are named once there are any."""
        uses = {name: self.days.total(*sources).credits for name, sources in USES.items()}
        automated = self.days.total(Source.AUTOMATION).credits
        if automated:
            uses["automation"] = automated
        chosen = {name: used for name, used in uses.items() if self.used_for in {"all", name}}
        whole = sum(chosen.values())
        return [
            {"type": name, "count": used, "percentage": rate(used, whole)} for name, used in chosen.items()
        ]


@dataclass(frozen=True)
class ContactsReport(Report):
    """Who the contacts are, and how many of them were reached in the window."""

    window: Window
    people: People
    recent: int
    engaged: int

    @property
    def engagement_rate(self) -> float:
        return rate(self.engaged, self.people.total)

    @property
    def genders(self) -> Sequence[dict[str, Any]]:
        """Everybody is in one group, so the shares add up."""
        p = self.people
        counted = {"male": p.male, "female": p.female, "other": p.other, "unknown": p.unspecified}
        return [
            {"gender": name, "count": count, "percentage": rate(count, p.total)}
            for name, count in counted.items()
        ]
