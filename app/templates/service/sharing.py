"""The shared templates, as the administrator keeps them. Everything here crosses shops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from app.core.clock import now
from app.core.http import Page
from app.core.uow import across_shops
from app.templates import queries
from app.templates.errors import DuplicateTemplateKey, TemplateNotFound
from app.templates.models import Template, TemplateVersion
from app.templates.queries import TemplateFilter
from app.templates.service.browsing import UsedTemplate
from app.templates.service.editing import apply_changes
from app.templates.service.seeding import ensure_library

WHY = "shared templates belong to no shop"


@dataclass(frozen=True)
class UseByShops:
    """How often, and by how many shops, a template was used. Which shops is nobody's business."""

    template: Template
    times_used: int
    unique_shops: int


def list_shared(wanted: TemplateFilter, *, offset: int, page_size: int) -> Page[UsedTemplate]:
    """Shared templates, public or not, from `offset` on."""
    ensure_library()
    with across_shops(WHY):
        rows, total = queries.page_of(
            queries.with_use(None),
            queries.matching(queries.shared(), wanted),
            offset=offset,
            page_size=page_size,
        )
    return Page([UsedTemplate(*row) for row in rows], total, offset // page_size + 1, page_size)


def create_shared(given: dict[str, Any]) -> UsedTemplate:
    """Add a shared template. Raises DuplicateTemplateKey, also for the key of a retired one."""
    columns = {**given, "key": given.get("key") or f"custom_{uuid4().hex}"}
    with across_shops(WHY) as session:
        template = session.scalar(queries.add_shared(columns))
        if template is None:
            raise DuplicateTemplateKey
        session.execute(queries.KEEP_VERSION, {"template_id": template.id})
    return UsedTemplate(template, 0)


def change_shared(template_id: int, changes: dict[str, Any]) -> UsedTemplate:
    """Change a shared template, whose words are then safe from the library. Raises TemplateNotFound."""
    with across_shops(WHY):
        apply_changes(_for_change(template_id), changes)
        return _shared(template_id)


def retire_shared(template_id: int) -> None:
    """Take a shared template away from all shops; its versions and figures stay. Raises TemplateNotFound."""
    with across_shops(WHY):
        _for_change(template_id).retired_at = now()


def use_by_shops(template_id: int) -> UseByShops:
    """How much a shared template is used. Raises TemplateNotFound."""
    with across_shops(WHY) as session:
        used = _shared(template_id)
        shops = session.scalar(queries.shops_that_used(template_id)) or 0
    return UseByShops(used.template, used.use_count, shops)


def list_versions(template_id: int) -> Sequence[TemplateVersion]:
    """All versions of a shared template, the newest first. Raises TemplateNotFound."""
    with across_shops(WHY) as session:
        _shared(template_id)
        return session.scalars(
            select(TemplateVersion)
            .where(TemplateVersion.template_id == template_id)
            .order_by(TemplateVersion.version.desc())
        ).all()


def _shared(template_id: int) -> UsedTemplate:
    row = queries.one_of(queries.with_use(None), queries.shared(), template_id)
    if row is None:
        raise TemplateNotFound
    return UsedTemplate(*row)


def _for_change(template_id: int) -> Template:
    template = queries.template_for_change(template_id, queries.shared())
    if template is None:
        raise TemplateNotFound
    return template
