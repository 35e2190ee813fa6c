"""Reads and set-based writes of templates. All of them need the caller's unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.sql.dml import ReturningInsert

from app.core.uow import require_unit_of_work
from app.shops.models import EshopType
from app.templates.models import Template, TemplateUsage

# One at a time for each owner: two releases that seed at once would lock the rows in different orders.
TAKE_SEEDING_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('templates of ' || :owner, 0))")

# Adds what is missing and brings what an older library wrote up to this one, never the other way round. Words
# that somebody edited stay; what is retired stays so. `kept` gets a row only when something that a version
# holds has changed: a new template has version 1.
SEED = text("""
    WITH wanted AS (
      SELECT * FROM ROWS FROM (jsonb_to_recordset(:texts) AS (
        key text, eshop_type text, category text, title text, content text, goal text, suggested_metrics text
      )) WITH ORDINALITY AS w (key, eshop_type, category, title, content, goal, suggested_metrics, position)
    ), seeded AS (
      INSERT INTO templates AS t (shop_id, library_version, key, eshop_type, category, title, content, goal,
        suggested_metrics)
      SELECT :shop_id, :library_version, key, eshop_type, category, title, content, goal, suggested_metrics
        FROM wanted ORDER BY position
      ON CONFLICT (shop_id, eshop_type, key) DO UPDATE SET
        library_version = excluded.library_version,
        category = CASE WHEN t.edited_at IS NULL THEN excluded.category ELSE t.category END,
        title = CASE WHEN t.edited_at IS NULL THEN excluded.title ELSE t.title END,
        content = CASE WHEN t.edited_at IS NULL THEN excluded.content ELSE t.content END,
        goal = excluded.goal,
        suggested_metrics = excluded.suggested_metrics,
        version = t.version + CAST(
          (t.goal, t.suggested_metrics) IS DISTINCT FROM (excluded.goal, excluded.suggested_metrics)
          OR (t.edited_at IS NULL AND (t.category, t.title, t.content)
            <> (excluded.category, excluded.title, excluded.content)) AS integer),
        updated_at = now()
      WHERE t.retired_at IS NULL AND t.library_version < excluded.library_version
      RETURNING *
    ), kept AS (
      INSERT INTO template_versions (template_id, version, shop_id, category, title, content, goal,
        suggested_metrics)
      SELECT id, version, shop_id, category, title, content, goal, suggested_metrics FROM seeded
      ON CONFLICT DO NOTHING RETURNING template_id, version
    )
    SELECT count(*) FILTER (WHERE kept.version = 1) AS created,
      count(*) FILTER (WHERE kept.version > 1 AND seeded.edited_at IS NULL) AS updated,
      count(*) FILTER (WHERE kept.version > 1 AND seeded.edited_at IS NOT NULL) AS repaired
    FROM kept JOIN seeded ON seeded.id = kept.template_id
    """).bindparams(bindparam("texts", type_=JSONB), bindparam("shop_id", type_=BigInteger))

HAS_LIBRARY = text("""
    SELECT EXISTS (SELECT FROM templates WHERE shop_id IS NULL AND library_version >= :library_version)""")

KEEP_VERSION = text("""
    INSERT INTO template_versions (template_id, version, shop_id, category, title, content, goal,
      suggested_metrics)
    SELECT id, version, shop_id, category, title, content, goal, suggested_metrics
      FROM templates WHERE id = :template_id""")


@dataclass(frozen=True)
class TemplateFilter:
    """Which templates. None means no such condition; `generic` shops are shown those of every type."""

    eshop_type: str | None = None
    category: str | None = None
    search: str | None = None


def visible(shop_id: int, eshop_type: str | None = None) -> ColumnElement[bool]:
    """The condition on a template to be shown to the shop: public or its own, and not retired."""
    shown = and_(
        Template.retired_at.is_(None),
        or_(Template.shop_id == shop_id, and_(Template.shop_id.is_(None), Template.is_public)),
    )
    if eshop_type in {None, EshopType.GENERIC}:
        return shown
    return and_(shown, Template.eshop_type.in_([eshop_type, EshopType.GENERIC]))


def shared() -> ColumnElement[bool]:
    """The condition on a template to be everybody's, public or not, and not retired."""
    return and_(Template.shop_id.is_(None), Template.retired_at.is_(None))


def matching(templates: ColumnElement[bool], wanted: TemplateFilter) -> ColumnElement[bool]:
    """Those of `templates` with the wanted category and the searched words in title or content."""
    conditions = [templates]
    if wanted.category:
        conditions.append(Template.category == wanted.category)
    if wanted.search:
        columns = (Template.title, Template.content)
        conditions.append(or_(*(column.icontains(wanted.search, autoescape=True) for column in columns)))
    return and_(*conditions)


def own(shop_id: int) -> ColumnElement[bool]:
    """The condition on a template to be the shop's own, and not retired."""
    return and_(Template.shop_id == shop_id, Template.retired_at.is_(None))


def with_use(shop_id: int | None) -> Select[Template, int]:
    """Templates, each with how often the shop has used it (all shops together when None)."""
    uses = select(func.coalesce(func.sum(TemplateUsage.used_count), 0)).where(
        TemplateUsage.template_id == Template.id
    )
    if shop_id is not None:
        uses = uses.where(TemplateUsage.shop_id == shop_id)
    return select(Template, uses.scalar_subquery())


def page_of(
    rows: Select[Template, int], condition: ColumnElement[bool], *, offset: int, page_size: int
) -> tuple[Sequence[Row[Template, int]], int]:
    """One page of `rows` that meet `condition`, in the library's order, and how many meet it in all."""
    session = require_unit_of_work()
    total = session.scalar(select(func.count()).select_from(Template).where(condition)) or 0
    ordered = rows.where(condition).order_by(Template.id).offset(offset).limit(page_size)
    return session.execute(ordered).all(), total


def categories(condition: ColumnElement[bool]) -> Sequence[str]:
    """The categories of the templates that meet `condition`, each once, in alphabetical order."""
    found = select(Template.category).where(condition).distinct().order_by(Template.category)
    return require_unit_of_work().scalars(found).all()


def template_for_change(template_id: int, condition: ColumnElement[bool]) -> Template | None:
    """The template if it meets `condition`, locked."""
    found = select(Template).where(Template.id == template_id, condition).with_for_update()
    return require_unit_of_work().scalar(found)


def one_of(
    rows: Select[Template, int], condition: ColumnElement[bool], template_id: int
) -> Row[Template, int] | None:
    """The row of `rows` for this template if it meets `condition`."""
    return require_unit_of_work().execute(rows.where(condition, Template.id == template_id)).first()


def count_use(shop_id: int, template_id: int) -> ReturningInsert[Any]:
    """Count one use, if the shop can see the template. Returns the count, nothing when it cannot."""
    seen = select(literal(shop_id), Template.id).where(Template.id == template_id, visible(shop_id))
    counted = insert(TemplateUsage).from_select(["shop_id", "template_id"], seen)
    return counted.on_conflict_do_update(
        index_elements=["shop_id", "template_id"],
        set_={"used_count": TemplateUsage.used_count + 1, "last_used_at": func.now()},
    ).returning(TemplateUsage.used_count)


def add_shared(columns: dict[str, Any]) -> ReturningInsert[Any]:
    """Add a shared template. Returns it, nothing when the key is taken."""
    return (
        insert(Template)
        .values(shop_id=None, **columns)
        .on_conflict_do_nothing(index_elements=["shop_id", "eshop_type", "key"])
        .returning(Template)
    )


def shops_that_used(template_id: int) -> Select[int]:
    """How many shops have used the template."""
    return select(func.count()).where(TemplateUsage.template_id == template_id)
