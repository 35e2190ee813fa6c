"""Changing a template's words, with every earlier version kept."""

from __future__ import annotations

from typing import Any

from app.core.clock import now
from app.core.uow import require_unit_of_work, unit_of_work
from app.templates import queries
from app.templates.errors import TemplateIsShared
from app.templates.models import Template
from app.templates.service.browsing import UsedTemplate, used_template

# What a version holds. A change of anything else is no new version.
WORDS = ("title", "category", "content", "goal", "suggested_metrics")


def edit_own_template(shop_id: int, template_id: int, changes: dict[str, Any]) -> UsedTemplate:
    """Change a template of the shop's own. Raises TemplateNotFound, TemplateIsShared."""
    with unit_of_work(shop_id):
        template = queries.template_for_change(template_id, queries.own(shop_id))
        used = used_template(shop_id, template_id)
        if template is None:
            raise TemplateIsShared
        apply_changes(template, changes)
    return used


def apply_changes(template: Template, changes: dict[str, Any]) -> None:
    """Write `changes` into a locked template. New words make a new version that no library overwrites.

    A step.
    """
    differing = {name: value for name, value in changes.items() if getattr(template, name) != value}
    if not differing:
        return
    for name, value in differing.items():
        setattr(template, name, value)
    template.updated_at = now()
    if not differing.keys() & set(WORDS):
        return
    template.version += 1
    template.edited_at = template.updated_at
    session = require_unit_of_work()
    session.flush()  # the version is a copy of the row
    session.execute(queries.KEEP_VERSION, {"template_id": template.id})
