"""What every route shares: blueprints, schemas, envelopes, pages."""

from app.core.http import fields
from app.core.http.blueprint import ApiBlueprint
from app.core.http.pagination import Page, PageQuery, page_schema
from app.core.http.schema import Schema

__all__ = ["ApiBlueprint", "Page", "PageQuery", "Schema", "fields", "page_schema"]
