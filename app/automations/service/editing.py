"""Keeping a shop's automations: list, make, change, delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.automations import queries
from app.automations.catalogue import DEFAULTS, Default, facts_of
from app.automations.errors import AutomationNotFound, SystemDefault
from app.automations.models import Automation, AutomationStatus, Step, Trigger
from app.core.activity import record
from app.core.cache import changed
from app.core.clock import now
from app.core.uow import require_unit_of_work, unit_of_work
from app.messaging.service import runs, statistics
from app.messaging.states import Source


@dataclass(frozen=True)
class AutomationView:
    """An automation with its steps and how many texts it has sent."""

    automation: Automation
    steps: Sequence[Step]
    messages_sent: int = 0

    @property
    def default(self) -> Default | None:
        key = self.automation.default_key
        return next((default for default in DEFAULTS if default.trigger == key), None)


def list_automations(shop_id: int) -> list[AutomationView]:
    """The shop's automations, oldest first. A shop that has never asked gets the defaults, switched off."""
    with unit_of_work(shop_id) as session:
        found = _all(shop_id)
        if not any(one.default_key for one in found):
            ensure_defaults(shop_id)
            session.flush()
            found = _all(shop_id)
        return _views(shop_id, found)


def find_automation(shop_id: int, automation_id: int) -> AutomationView:
    """One of the shop's automations. Raises AutomationNotFound."""
    with unit_of_work(shop_id):
        return _views(shop_id, [_find(shop_id, automation_id)])[0]


def create_automation(shop_id: int, given: Mapping[str, Any]) -> AutomationView:
    """Make an automation of the shop's own."""
    with unit_of_work(shop_id) as session:
        status = given["status"]
        automation = Automation(
            shop_id=shop_id,
            name=given["name"],
            description=given.get("description"),
            trigger=given["trigger"],
            status=status,
            conditions=given["conditions"],
            activated_at=now() if status == AutomationStatus.ACTIVE else None,
        )
        session.add(automation)
        session.flush()  # the steps need its id
        _write_steps(automation, given)
        record(shop_id, "automation.created", "automation", automation.id)
        changed(shop_id, "figures")
        session.flush()
        session.refresh(automation)
        return _views(shop_id, [automation])[0]


def update_automation(shop_id: int, automation_id: int, changes: Mapping[str, Any]) -> AutomationView:
    """Change what `changes` names. Raises AutomationNotFound.

    Pausing keeps what is scheduled, it goes on when the automation does. New texts are for steps that are
    still to come.
    """
    with unit_of_work(shop_id) as session:
        automation = _find(shop_id, automation_id, lock=True)
        for column in ("name", "description", "conditions"):
            if column in changes:
                setattr(automation, column, changes[column])
        if changes.get("status", automation.status) != automation.status:
            automation.status = changes["status"]
            if automation.status == AutomationStatus.ACTIVE and automation.activated_at is None:
                automation.activated_at = now()
            record(shop_id, f"automation.{automation.status}", "automation", automation.id)
        else:
            record(shop_id, "automation.updated", "automation", automation.id)
        if "message" in changes or "steps" in changes:
            _write_steps(automation, changes)
        automation.updated_at = now()
        changed(shop_id, "figures")
        session.flush()
        session.refresh(automation)
        return _views(shop_id, [automation])[0]


def delete_automation(shop_id: int, automation_id: int) -> None:
    """Delete one of the shop's own; what it had scheduled or not yet sent is cancelled.

    Raises AutomationNotFound or SystemDefault.
    """
    with unit_of_work(shop_id) as session:
        automation = _find(shop_id, automation_id, lock=True)
        if automation.default_key:
            raise SystemDefault
        for run_id in runs.open_runs(shop_id, Source.AUTOMATION, automation_id):
            runs.cancel(shop_id, run_id)
        session.execute(
            delete(Automation).where(Automation.shop_id == shop_id, Automation.id == automation_id)
        )
        record(shop_id, "automation.deleted", "automation", automation_id)
        changed(shop_id, "figures")


def sync_defaults(shop_id: int) -> tuple[int, int]:
    """Make the defaults that this shop lacks; how many, and how many automations it has now."""
    with unit_of_work(shop_id) as session:
        made = ensure_defaults(shop_id)
        session.flush()
        return made, len(_all(shop_id))


def ensure_defaults(shop_id: int) -> int:
    """Make the defaults that the shop lacks, switched off; how many. A step, harmless twice."""
    session = require_unit_of_work()
    made = 0
    for default in DEFAULTS:
        row = {"shop_id": shop_id, "default_key": default.trigger, "trigger": default.trigger}
        new = insert(Automation).values(**row, name=default.name, description=default.description)
        automation_id = session.scalar(new.on_conflict_do_nothing().returning(Automation.id))
        if automation_id is not None:
            step = Step(shop_id=shop_id, automation_id=automation_id, step_no=1, message=default.message)
            step.delay_minutes = facts_of(default.trigger).delay_minutes
            session.add(step)
            made += 1
    return made


def _write_steps(automation: Automation, given: Mapping[str, Any]) -> None:
    """`steps` replaces all of them; `message` alone is the text of the first."""
    session = require_unit_of_work()
    usual = facts_of(Trigger(automation.trigger)).delay_minutes
    if given.get("steps"):
        session.execute(
            delete(Step).where(Step.shop_id == automation.shop_id, Step.automation_id == automation.id)
        )
        rows = list(given["steps"])
    else:
        first = session.get(Step, (automation.shop_id, automation.id, 1))
        if first is not None:
            first.message = given["message"]
            return
        rows = [{"message": given["message"]}]
    for step_no, row in enumerate(rows, start=1):
        delay = row.get("delay_minutes")
        session.add(
            Step(
                shop_id=automation.shop_id,
                automation_id=automation.id,
                step_no=step_no,
                delay_minutes=delay if delay is not None else (usual if step_no == 1 else 0),
                message=row["message"],
            )
        )


def _all(shop_id: int) -> Sequence[Automation]:
    found = select(Automation).where(Automation.shop_id == shop_id).order_by(Automation.id)
    return require_unit_of_work().scalars(found).all()


def _find(shop_id: int, automation_id: int, *, lock: bool = False) -> Automation:
    wanted = select(Automation).where(Automation.shop_id == shop_id, Automation.id == automation_id)
    found = require_unit_of_work().scalar(wanted.with_for_update() if lock else wanted)
    if found is None:
        raise AutomationNotFound
    return found


def _views(shop_id: int, automations: Sequence[Automation]) -> list[AutomationView]:
    steps = queries.steps_of(shop_id, [one.id for one in automations])
    sent = statistics.totals_by_source(shop_id, Source.AUTOMATION)
    return [
        AutomationView(one, steps[one.id], sent[one.id].accepted if one.id in sent else 0)
        for one in automations
    ]
