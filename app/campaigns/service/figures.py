"""A campaign with its numbers, as every answer shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.audiences import service as audiences
from app.campaigns.models import Campaign, CampaignStatus
from app.core.clients import is_embedded_client
from app.core.settings import settings
from app.messaging.service import runs
from app.messaging.service.runs import Counts

SOURCE_OF_TRUTH = "mitto"
SENT = "sent"  # the embedded client's word for completed
NOTHING_YET = Counts()


def shown_status(status: str) -> str:
    """The status as clients are told; the embedded client's word for `completed` is `sent`."""
    if status != CampaignStatus.COMPLETED:
        return status
    return SENT if is_embedded_client() else settings().campaign_done_status


def percentage(part: int, whole: int) -> float:
    return round(part * 100 / whole, 1) if whole else 0.0


@dataclass(frozen=True)
class ShownCampaign:
    """A campaign and the counters of its newest run. `estimate` is whom it would reach before that."""

    campaign: Campaign
    counts: Counts = NOTHING_YET
    estimate: int = 0

    @property
    def status(self) -> str:
        return shown_status(self.campaign.status)

    @property
    def itself(self) -> ShownCampaign:
        """For answers that repeat the same numbers one level down."""
        return self

    @property
    def meta(self) -> dict[str, Any] | None:
        return self.campaign.meta or None

    @property
    def recipients(self) -> int:
        return self.counts.recipients or self.estimate

    @property
    def queued(self) -> int:
        """Not yet answered for. While a large audience is being frozen that is everybody."""
        if self.campaign.status == CampaignStatus.SENDING and self.campaign.frozen_at is None:
            return self.recipients
        return self.counts.queued

    @property
    def accepted(self) -> int:
        return self.counts.accepted

    @property
    def delivered(self) -> int:
        return self.counts.delivered

    @property
    def failed(self) -> int:
        """Whom the text did not reach: refused at once, reported undelivered, or never sent."""
        return self.counts.failed + self.counts.undelivered + self.counts.not_sent

    @property
    def pending_delivery(self) -> int:
        return self.counts.sent

    @property
    def processed(self) -> int:
        return self.delivered + self.failed

    @property
    def percent_done(self) -> int:
        """0 to 100, and 100 only when nothing is waiting any more."""
        done = self.counts.recipients - self.queued
        return done * 100 // self.counts.recipients if self.counts.recipients else 0

    @property
    def totals(self) -> dict[str, int]:
        return {
            "recipients": self.recipients,
            "accepted": self.accepted,
            "sent": self.accepted,
            "delivered": self.delivered,
            "failed": self.failed,
        }

    @property
    def delivery(self) -> dict[str, int]:
        return {
            "pending_delivery": self.pending_delivery,
            "delivered": self.delivered,
            "failed_delivery": self.failed,
        }

    @property
    def sent_percentage(self) -> float:
        return percentage(self.accepted, self.recipients)

    @property
    def failed_percentage(self) -> float:
        return percentage(self.failed, self.recipients)

    @property
    def delivered_percentage(self) -> float:
        return percentage(self.delivered, self.recipients)

    @property
    def delivery_rate(self) -> float:
        return percentage(self.delivered, self.accepted)


@dataclass(frozen=True)
class MeasuredCampaign(ShownCampaign):
    """With the orders that count for its newest run; None where nobody tells of orders."""

    conversions: int | None = None

    @property
    def conversion_rate(self) -> float | None:
        """Orders for each delivered text, as a fraction."""
        if self.conversions is None:
            return None
        return round(self.conversions / self.delivered, 4) if self.delivered else 0.0


def with_figures(shop_id: int, campaigns: Sequence[Campaign]) -> list[ShownCampaign]:
    """The campaigns with their numbers: one read of counters, one count of audiences. A step."""
    counters = runs.counts_by_run(shop_id, [one.run_id for one in campaigns if one.run_id])
    of = {one.id: counters.get(one.run_id or 0, NOTHING_YET) for one in campaigns}
    targets = {
        one.id: audiences.parse_audience(one.audience) for one in campaigns if not of[one.id].recipients
    }
    reached = audiences.audience_counts(shop_id, set(targets.values())) if targets else {}
    return [
        ShownCampaign(one, of[one.id], reached[targets[one.id]] if one.id in targets else 0)
        for one in campaigns
    ]
