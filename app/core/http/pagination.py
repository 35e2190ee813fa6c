"""Pages by number, in the one shape that both clients read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import marshmallow as ma

from app.core.http.schema import Schema

T = TypeVar("T")
_made: dict[tuple[str, str], type[Schema]] = {}


class PageQuery(Schema):
    """`page` and `pageSize` (alias `limit`). Load gives page, page_size."""

    page = ma.fields.Integer(load_default=1, validate=ma.validate.Range(1, 1_000_000))
    page_size = ma.fields.Integer(data_key="pageSize", load_default=None, validate=ma.validate.Range(1, 100))
    limit = ma.fields.Integer(load_default=None, validate=ma.validate.Range(1, 100))

    default_page_size = 20

    @ma.post_load
    def settle_size(self, query: dict[str, Any], **_: Any) -> dict[str, Any]:
        limit = query.pop("limit", None)
        query["page_size"] = query.get("page_size") or limit or self.default_page_size
        return query


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list, and how many items there are in all."""

    items: Sequence[T]
    total: int
    page: int
    page_size: int

    @property
    def pagination(self) -> dict[str, Any]:
        pages = -(-self.total // self.page_size)
        return {
            "page": self.page,
            "pageSize": self.page_size,
            "total": self.total,
            "totalPages": pages,
            "hasNextPage": self.page < pages,
            "hasPrevPage": self.page > 1,
        }


class PaginationSchema(Schema):
    page = ma.fields.Integer()
    pageSize = ma.fields.Integer()  # noqa: N815
    total = ma.fields.Integer()
    totalPages = ma.fields.Integer()  # noqa: N815
    hasNextPage = ma.fields.Boolean()  # noqa: N815
    hasPrevPage = ma.fields.Boolean()  # noqa: N815


def page_schema(item: type[ma.Schema], alias: str, **extra: ma.fields.Field[Any]) -> type[Schema]:
    """The schema of a `Page`: `items`, the same list under `alias`, the totals, and `extra` fields."""
    key = (f"{item.__module__}.{item.__name__}", alias)
    if key not in _made:
        members: dict[str, Any] = {
            "items": ma.fields.List(ma.fields.Nested(item)),
            alias: ma.fields.List(ma.fields.Nested(item), attribute="items", dump_only=True),
            "total": ma.fields.Integer(),
            "page": ma.fields.Integer(),
            "pageSize": ma.fields.Integer(attribute="page_size"),
            "pagination": ma.fields.Nested(PaginationSchema),
            **extra,
        }
        _made[key] = type(f"{item.__name__.removesuffix('Schema')}PageSchema", (Schema,), members)
    return _made[key]
