"""What needs somebody: conditions that are looked at every minute, and told of once an hour each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import TextClause

from app.core.clock import now
from app.core.http.schema import instant
from app.core.settings import settings
from app.core.ticks import claim_tick, finish_tick
from app.core.uow import across_shops
from app.integrations.alerting import NotPosted, post_alert
from app.monitoring import queries

log = structlog.get_logger(__name__)
QUIET_SECONDS = 3_600


@dataclass(frozen=True)
class Condition:
    """Something that is wrong when `sql` gives a row; the row's columns are the figures."""

    name: str
    says: str
    runbook: str
    sql: TextClause


CONDITIONS = (
    Condition(
        "sending_behind", "Messages wait that should have left", "provider-down", queries.SENDING_BEHIND
    ),
    Condition("calls_failing", "The carrier does not answer", "provider-down", queries.CALLS_FAILING),
    Condition("campaigns_stuck", "Campaigns do not move", "campaign-stuck", queries.CAMPAIGNS_STUCK),
    Condition("unknowns_rising", "Calls end unclear", "unknowns-rising", queries.UNKNOWNS_RISING),
    Condition("events_behind", "Events wait in the inbox", "webhooks-behind", queries.EVENTS_BEHIND),
    Condition("events_given_up", "Events were given up", "webhooks-behind", queries.EVENTS_GIVEN_UP),
    Condition("payments_left", "Payments of nobody are told of", "dead-letters", queries.PAYMENTS_LEFT),
    Condition("books_do_not_balance", "Credits do not add up", "books-do-not-balance", queries.BOOKS),
    Condition("holds_expired", "Holds outlive their runs", "books-do-not-balance", queries.HOLDS_EXPIRED),
    Condition("audit_missing", "The nightly proof is overdue", "scheduler-silent", queries.AUDIT_MISSING),
    Condition("tasks_failing", "Periodic tasks do not end", "scheduler-silent", queries.TASKS_FAILING),
    Condition("imports_stuck", "Imports do not end", "import-stuck", queries.IMPORTS_STUCK),
)


@dataclass(frozen=True)
class Alert:
    """A condition that is met, with its figures."""

    condition: Condition
    figures: Mapping[str, int | None]

    def as_json(self) -> dict[str, Any]:
        """`text` is what chat programs show."""
        told = ", ".join(f"{name} {value}" for name, value in self.figures.items())
        page = f"docs/runbooks/{self.condition.runbook}.md"
        return {
            "text": f"Astronote: {self.condition.says} ({told}). See {page}.",
            "alert": self.condition.name,
            "figures": dict(self.figures),
            "runbook": page,
            "environment": settings().app_env,
            "at": instant(now()),
        }


def met() -> list[Alert]:
    """Every condition that is met now, each in one statement."""
    with across_shops("what is wrong may be wrong in any shop") as session:
        found = [(one, session.execute(one.sql).mappings().first()) for one in CONDITIONS]
    return [Alert(condition, dict(row)) for condition, row in found if row]


def tell() -> None:
    """Log every condition that is met and post it to ALERT_WEBHOOK_URL, once an hour each.

    Keyed by (condition, hour), in `ticks`. One that could not be posted is told again a quarter of an hour
    later.
    """
    for alert in met():
        start = claim_tick(f"alert.{alert.condition.name}", QUIET_SECONDS)
        if start and _told(alert):
            finish_tick(f"alert.{alert.condition.name}", start)


def _told(alert: Alert) -> bool:
    log.warning("alert", check=alert.condition.name, runbook=alert.condition.runbook, **alert.figures)
    address = settings().alert_webhook_url
    if address is None:
        return True
    try:
        post_alert(address, alert.as_json())
    except NotPosted as failed:
        log.warning("alert_not_posted", check=alert.condition.name, reason=failed.reason)
        return False
    return True
