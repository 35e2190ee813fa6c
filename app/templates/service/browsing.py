"""What a shop sees of the templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.core.http import Page
from app.core.uow import unit_of_work
from app.templates import queries
from app.templates.errors import TemplateNotFound
from app.templates.models import Template
from app.templates.queries import TemplateFilter
from app.templates.service.seeding import ensure_library, type_of


@dataclass(frozen=True)
class UsedTemplate:
    """A template and how often it was started from: by the shop, or by all when the administrator asks."""

    template: Template
    use_count: int


@dataclass(frozen=True)
class TemplatePage(Page[UsedTemplate]):
    """One page of templates, and the categories that there are to choose from."""

    categories: Sequence[str] = field(default_factory=tuple)


def list_templates(shop_id: int, wanted: TemplateFilter, *, offset: int, page_size: int) -> TemplatePage:
    """Templates for the wanted type of shop (this shop's when None), from `offset` on."""
    ensure_library()
    with unit_of_work(shop_id):
        wanted = replace(wanted, eshop_type=wanted.eshop_type or type_of(shop_id))
        shown = queries.visible(shop_id, wanted.eshop_type)
        rows, total = queries.page_of(
            queries.with_use(shop_id), queries.matching(shown, wanted), offset=offset, page_size=page_size
        )
        categories = queries.categories(shown)
    templates = [UsedTemplate(*row) for row in rows]
    return TemplatePage(templates, total, offset // page_size + 1, page_size, categories)


def list_categories(shop_id: int) -> Sequence[str]:
    """The categories of all templates that the shop can see."""
    ensure_library()
    with unit_of_work(shop_id):
        return queries.categories(queries.visible(shop_id))


def find_template(shop_id: int, template_id: int) -> UsedTemplate:
    """One template that the shop can see. Raises TemplateNotFound."""
    with unit_of_work(shop_id):
        return used_template(shop_id, template_id)


def used_template(shop_id: int, template_id: int) -> UsedTemplate:
    """As `find_template`. A step."""
    shown = queries.visible(shop_id)
    row = queries.one_of(queries.with_use(shop_id), shown, template_id)
    if row is None:
        raise TemplateNotFound
    return UsedTemplate(*row)


def track_use(shop_id: int, template_id: int) -> None:
    """Count one more use of the template by the shop. Raises TemplateNotFound."""
    with unit_of_work(shop_id) as session:
        counted = session.execute(queries.count_use(shop_id, template_id)).first()
        if counted is None:
            raise TemplateNotFound
