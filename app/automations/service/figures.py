"""What automations have done, for their own page and for reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.automations.models import Attempt, Automation, AutomationStatus, Step
from app.core.uow import require_unit_of_work, unit_of_work
from app.messaging.service import statistics
from app.messaging.states import Source


@dataclass(frozen=True)
class Figures:
    """A shop's automations by status, and what became of their texts. `success_rate` is in percent."""

    active: int = 0
    paused: int = 0
    draft: int = 0
    messages_sent: int = 0
    success_rate: float = 0.0

    @property
    def total(self) -> int:
        return self.active + self.paused + self.draft

    @property
    def enabled(self) -> int:
        return self.active

    @property
    def total_sent(self) -> int:
        return self.messages_sent

    @property
    def disabled(self) -> int:
        return self.paused + self.draft


def figures(shop_id: int) -> Figures:
    """The shop's figures now."""
    with unit_of_work(shop_id):
        by_status = count_by_status(shop_id)
        all_runs = statistics.totals_by_source(shop_id, Source.AUTOMATION).values()
    sent = sum(counts.accepted for counts in all_runs)
    failed = sum(counts.failed + counts.not_sent + counts.undelivered for counts in all_runs)
    tried = sum(counts.accepted + counts.failed + counts.not_sent for counts in all_runs)
    rate = round((tried - failed) / tried * 100, 1) if tried else 0.0
    return Figures(**by_status, messages_sent=sent, success_rate=rate)


def count_by_status(shop_id: int) -> dict[str, int]:
    """How many automations the shop has in each status. A step."""
    counted = select(Automation.status, func.count()).where(Automation.shop_id == shop_id)
    rows = require_unit_of_work().execute(counted.group_by(Automation.status))
    return {str(status): 0 for status in AutomationStatus} | {row[0]: row[1] for row in rows}


def active_automations(shop_id: int) -> Sequence[Any]:
    """The shop's active automations: id, title, trigger_event, is_active, user_message. A step."""
    found = (
        select(
            Automation.id,
            Automation.name.label("title"),
            Automation.trigger.label("trigger_event"),
            (Automation.status == AutomationStatus.ACTIVE).label("is_active"),
            Step.message.label("user_message"),
        )
        .join(Step, (Step.shop_id == Automation.shop_id) & (Step.automation_id == Automation.id))
        .where(Automation.shop_id == shop_id, Automation.status == AutomationStatus.ACTIVE, Step.step_no == 1)
        .order_by(Automation.id)
    )
    return require_unit_of_work().execute(found).all()


def names(shop_id: int) -> dict[int, str]:
    """What the shop's automations are called. A step."""
    found = select(Automation.id, Automation.name).where(Automation.shop_id == shop_id)
    return {row.id: row.name for row in require_unit_of_work().execute(found)}


def attempts_between(shop_id: int, starts_at: datetime, ends_at: datetime) -> Sequence[Any]:
    """How often each (trigger, outcome) came about in the time. A step."""
    counted = (
        select(Attempt.trigger, Attempt.outcome, func.count().label("total"))
        .where(Attempt.shop_id == shop_id, Attempt.at >= starts_at, Attempt.at < ends_at)
        .group_by(Attempt.trigger, Attempt.outcome)
    )
    return require_unit_of_work().execute(counted).all()


def attempts_of(shop_id: int, automation_id: int, *, before: int | None, most: int) -> Sequence[Attempt]:
    """What became of the automation's steps, newest first, from below the id `before`."""
    with unit_of_work(shop_id) as session:
        found = select(Attempt).where(Attempt.shop_id == shop_id, Attempt.automation_id == automation_id)
        if before is not None:
            found = found.where(Attempt.id < before)
        return session.scalars(found.order_by(Attempt.id.desc()).limit(most)).all()
