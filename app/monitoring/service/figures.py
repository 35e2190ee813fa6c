"""The figures that a scraper reads: what waits and what is wrong from PostgreSQL, what was counted from
Redis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from app.core.metrics import BUCKETS, COUNTERS, ENDLESS, Series, counted
from app.core.uow import across_shops
from app.monitoring import queries

EXPLAINED = {
    "queue_sms_waiting": "Messages to be sent, of runs that are not paused",
    "queue_campaign_waiting": "Campaigns that are due, or wait for their audience to be frozen",
    "queue_automation_waiting": "Steps of automations that are due",
    "campaigns_stuck": "Campaigns under way in which nothing has moved for ten minutes",
    "credit_reservations_active": "Holds with credits left",
    "credit_reservations_expired": "Of these, past their expiry",
    "webhook_events_failed": "Events of the inbox that were given up; replayed and forgotten ones go",
}
TIMED = "api_request_seconds"
LABELS_OF_TIMED = ("blueprint",)


@dataclass(frozen=True)
class Figures:
    """All of it at one moment."""

    gauges: dict[str, int]
    campaigns: dict[str, int]
    counted: dict[Series, float]

    def as_json(self) -> dict[str, Any]:
        """By name; what is counted by labels is a list."""
        series: dict[str, list[dict[str, Any]]] = {name: [] for name in COUNTERS}
        for (name, labels), value in self.counted.items():
            series[name].append({**dict(zip(COUNTERS[name][1], labels, strict=True)), "value": value})
        failed = self.gauges["webhook_events_failed"]
        gauges = {name: value for name, value in self.gauges.items() if name != "webhook_events_failed"}
        return {
            **gauges,
            "webhook_events_failed_total": failed,
            "campaigns_total": self.campaigns,
            "counters": series,
        }

    def as_prometheus(self) -> bytes:
        """In the text format, version 0.0.4."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Read(self))
        return generate_latest(registry)


def figures() -> Figures:
    """Read everything: two statements, and one command to Redis (without which nothing was counted)."""
    with across_shops("the figures of the whole system") as session:
        gauges = session.execute(queries.GAUGES).one()
        campaigns = session.execute(queries.CAMPAIGNS).all()
    return Figures(
        gauges={name: int(value) for name, value in gauges._mapping.items()},
        campaigns={row.status: row.campaigns for row in campaigns},
        counted=counted(),
    )


class _Read(Collector):
    """What was read, as prometheus_client wants to collect it."""

    def __init__(self, read: Figures) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        for name, value in self._read.gauges.items():
            family = CounterMetricFamily if name == "webhook_events_failed" else GaugeMetricFamily
            yield family(name, EXPLAINED[name], value=value)
        campaigns = GaugeMetricFamily("campaigns_total", "Campaigns by state", labels=["status"])
        for status, many in self._read.campaigns.items():
            campaigns.add_metric([status], many)
        yield campaigns
        for name, (explained, labels) in COUNTERS.items():
            if not name.startswith(TIMED):
                yield self._counter(name, explained, labels)
        yield self._times()

    def _counter(self, name: str, explained: str, labels: tuple[str, ...]) -> Metric:
        family = CounterMetricFamily(name, explained, labels=labels)
        for (found, values), value in self._read.counted.items():
            if found == name:
                family.add_metric(values, value)
        return family

    def _times(self) -> Metric:
        """The histogram: Redis counts each request in one bucket, the format wants all those below too."""
        family = HistogramMetricFamily(TIMED, COUNTERS[TIMED][0], labels=LABELS_OF_TIMED)
        limits = [*map(str, BUCKETS), ENDLESS]
        of = self._read.counted
        for blueprint in sorted({labels[0] for name, labels in of if name == TIMED}):
            in_each = [of.get((TIMED, (blueprint, limit)), 0.0) for limit in limits]
            buckets = list(zip(limits, accumulate(in_each), strict=True))
            family.add_metric([blueprint], buckets, of.get((f"{TIMED}_sum", (blueprint,)), 0.0))
        return family
