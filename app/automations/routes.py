"""Automations over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import g

from app.automations.catalogue import DEFAULTS, variables_of
from app.automations.models import Trigger
from app.automations.schemas import (
    AttemptsQuery,
    AttemptsSchema,
    AutomationChanges,
    AutomationIn,
    AutomationSchema,
    DefaultSchema,
    StatsSchema,
    SyncedSchema,
    VariablesSchema,
    shown,
)
from app.automations.service import editing, figures
from app.core.errors import ValidationFailed
from app.core.http import ApiBlueprint

blueprint = ApiBlueprint("automations", __name__, description="Texts that events start")
Body = dict[str, Any]
# The defaults are part of this program: they are as old as it is.
WRITTEN_AT = datetime(2026, 11, 24, tzinfo=UTC)


@blueprint.get("/automations")
@blueprint.data(200, AutomationSchema, many=True)
def list_automations() -> Any:
    """List the shop's automations, oldest first."""
    return [shown(view) for view in editing.list_automations(g.shop_id)]


@blueprint.get("/automations/stats")
@blueprint.data(200, StatsSchema)
def stats() -> Any:
    """Count automations by status, and what they sent."""
    return figures.figures(g.shop_id)


@blueprint.get("/automations/variables/<trigger>")
@blueprint.data(200, VariablesSchema)
@blueprint.errors(400, 404)
def variables(trigger: str) -> Any:
    """List the merge tags that a text of this trigger may use."""
    if trigger not in {*Trigger}:
        raise ValidationFailed("triggerType", "is no trigger")
    found = variables_of(Trigger(trigger))
    names = [variable.name for variable in found]
    return {"triggerType": trigger, "variables": found, "variableDescriptions": found, "names": names}


@blueprint.get("/automations/defaults")
@blueprint.data(200, DefaultSchema, many=True)
def defaults() -> Any:
    """List the automations that every shop begins with."""
    return [
        {
            "id": default.trigger,
            "title": default.name,
            "description": default.description,
            "triggerEvent": default.trigger,
            "defaultMessage": default.message,
            "isSystemDefault": True,
            "createdAt": WRITTEN_AT,
            "updatedAt": WRITTEN_AT,
        }
        for default in DEFAULTS
    ]


@blueprint.post("/automations")
@blueprint.arguments(AutomationIn)
@blueprint.data(201, AutomationSchema)
def create(body: Body) -> Any:
    """Make an automation."""
    return shown(editing.create_automation(g.shop_id, body))


@blueprint.post("/automations/sync")
@blueprint.data(200, SyncedSchema)
def sync() -> Any:
    """Make the defaults that this shop lacks. They start switched off."""
    made, total = editing.sync_defaults(g.shop_id)
    return {"syncedCount": made, "synced": made, "totalShops": 1, "totalAutomations": total}


@blueprint.get("/automations/<id:automation_id>")
@blueprint.data(200, AutomationSchema)
@blueprint.errors(404)
def show(automation_id: int) -> Any:
    """Show one automation."""
    return shown(editing.find_automation(g.shop_id, automation_id))


@blueprint.put("/automations/<id:automation_id>")
@blueprint.arguments(AutomationChanges)
@blueprint.data(200, AutomationSchema)
@blueprint.errors(404)
def update(body: Body, automation_id: int) -> Any:
    """Change an automation, or switch it on or off."""
    return shown(editing.update_automation(g.shop_id, automation_id, body))


@blueprint.delete("/automations/<id:automation_id>")
@blueprint.data(200, None)
@blueprint.errors(404, 409)
def remove(automation_id: int) -> None:
    """Delete an automation of the shop's own; what it had scheduled is cancelled."""
    editing.delete_automation(g.shop_id, automation_id)


@blueprint.get("/automations/<id:automation_id>/attempts")
@blueprint.arguments(AttemptsQuery, location="query")
@blueprint.data(200, AttemptsSchema)
@blueprint.errors(404)
def attempts(query: Body, automation_id: int) -> Any:
    """List what became of each step, newest first; `before` goes on from `nextBefore`."""
    editing.find_automation(g.shop_id, automation_id)
    found = figures.attempts_of(g.shop_id, automation_id, before=query["before"], most=query["limit"])
    is_full = len(found) == query["limit"]
    return {"items": found, "next_before": found[-1].id if is_full else None}
