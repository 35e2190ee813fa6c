"""The dashboard: counters and counted days only, and no part of it can take the others down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from app.campaigns import queries as campaigns
from app.campaigns.models import CampaignStatus
from app.campaigns.queries import CampaignFilter
from app.campaigns.service.figures import ShownCampaign, with_figures
from app.core.cache import not_to_be_kept
from app.core.uow import require_unit_of_work, unit_of_work
from app.credits import history
from app.credits import service as credits
from app.messaging.service import statistics
from app.messaging.service.runs import Counts
from app.reports.service import automations
from app.reports.service.days import NOTHING, Day, Days, Figures, days_of, rate
from app.reports.service.messages import ShownMessage
from app.reports.service.people import People, count_people
from app.reports.service.windows import last_days

log = structlog.get_logger(__name__)
T = TypeVar("T")
TREND_DAYS = 7
TOP_CAMPAIGNS = 5
NEWEST = 5
UNDER_WAY_OR_DONE = (CampaignStatus.SENDING, CampaignStatus.COMPLETED)
TYPES = {"capture": "debit", "refund": "refund"}  # everything else that is news adds credits


@dataclass(frozen=True)
class Week:
    """The last seven days, and who opted out in them."""

    days: Days | None = None
    people: People = field(default_factory=People)

    @property
    def total(self) -> Figures:
        return self.days.total() if self.days else NOTHING

    @property
    def each(self) -> Sequence[Day]:
        return self.days.each() if self.days else []


@dataclass(frozen=True)
class Dashboard:
    """What both clients show first."""

    credits: int
    total_campaigns: int
    total_messages_sent: int
    active_automations: int
    top_campaigns: Sequence[ShownCampaign]
    week: Week

    @property
    def itself(self) -> Dashboard:
        """For the answer that puts half of it one level down."""
        return self


@dataclass(frozen=True)
class Overview:
    """Totals of all time, and the latest messages and movements."""

    counts: Counts
    people: People
    wallet: int
    currency: str
    messages: Sequence[ShownMessage]
    movements: Sequence[Movement]

    @property
    def itself(self) -> Overview:
        return self

    @property
    def failed(self) -> int:
        return self.counts.failed + self.counts.undelivered + self.counts.not_sent

    @property
    def delivery_rate(self) -> float:
        return rate(self.counts.delivered, self.counts.accepted)


@dataclass(frozen=True)
class Movement:
    """Credits that came, went or came back."""

    row: Row[Any]

    @property
    def type(self) -> str:
        return TYPES.get(self.row.kind, "credit")

    @property
    def meta(self) -> dict[str, Any]:
        return {"kind": self.row.kind, "reason": self.row.reason}


def dashboard(shop_id: int) -> Dashboard:
    """The shop's dashboard; a part that cannot be read is shown as zeros, and logged."""
    return Dashboard(
        credits=wallet(shop_id),
        total_campaigns=_part(shop_id, "campaigns", _count_campaigns, 0),
        total_messages_sent=_accepted(shop_id).accepted,
        active_automations=_part(shop_id, "automations", automations.count_active, 0),
        top_campaigns=_part(shop_id, "top_campaigns", _top_campaigns, []),
        week=_part(shop_id, "week", _week, Week()),
    )


def overview(shop_id: int, currency: str) -> Overview:
    """The totals and the latest; a part that cannot be read is shown as zeros, and logged."""
    return Overview(
        counts=_accepted(shop_id),
        people=_part(shop_id, "contacts", _people, People()),
        wallet=wallet(shop_id),
        currency=currency,
        messages=_part(shop_id, "messages", _newest_messages, []),
        movements=_part(shop_id, "movements", _newest_movements, []),
    )


def quick_stats(shop_id: int) -> dict[str, int]:
    """How many messages the carrier has ever accepted, and the credits that are free in the wallet."""
    return {"accepted": _accepted(shop_id).accepted, "wallet": wallet(shop_id)}


def wallet(shop_id: int) -> int:
    """The credits that are free in the wallet; 0, and logged, when they cannot be read."""
    return _part(shop_id, "credits", lambda shop_id: credits.balance_of(shop_id).wallet, 0)


def _part(shop_id: int, name: str, read: Callable[[int], T], instead: T) -> T:
    """What `read` gives, in a transaction of its own: one that fails spoils no other."""
    try:
        with unit_of_work(shop_id):
            return read(shop_id)
    except SQLAlchemyError as failed:
        log.error("dashboard_part_failed", part=name, exc_info=failed)
        not_to_be_kept()
        return instead


def _accepted(shop_id: int) -> Counts:
    return _part(shop_id, "messages_total", statistics.totals, Counts())


def _count_campaigns(shop_id: int) -> int:
    return sum(campaigns.count_by_status(shop_id).values())


def _top_campaigns(shop_id: int) -> Sequence[ShownCampaign]:
    chosen = campaigns.matching(shop_id, CampaignFilter()).where(
        campaigns.Campaign.status.in_(UNDER_WAY_OR_DONE)
    )
    newest = campaigns.ordered(chosen, CampaignFilter()).limit(TOP_CAMPAIGNS)
    return with_figures(shop_id, require_unit_of_work().scalars(newest).all())


def _week(shop_id: int) -> Week:
    window = last_days(shop_id, TREND_DAYS)
    return Week(days_of(shop_id, window), count_people(shop_id, window.starts_at))


def _people(shop_id: int) -> People:
    return count_people(shop_id, last_days(shop_id, TREND_DAYS).starts_at)


def _newest_messages(shop_id: int) -> Sequence[ShownMessage]:
    return [ShownMessage(row) for row in statistics.newest_messages(shop_id, NEWEST)]


def _newest_movements(shop_id: int) -> Sequence[Movement]:
    return [Movement(row) for row in history.newest_movements(shop_id, NEWEST)]
