"""Templates over HTTP: for shops, and for the administrator of the shared ones."""

from __future__ import annotations

import hmac
from typing import Any

from flask import g, request

from app.core.http import ApiBlueprint
from app.core.settings import settings
from app.templates import service
from app.templates.errors import AdminTokenRequired
from app.templates.schemas import (
    DefaultsIn,
    DefaultsSchema,
    OwnTemplateChange,
    SharedTemplateChange,
    SharedTemplateIn,
    SharedTemplatePageSchema,
    SharedTemplateSchema,
    SharedTemplatesQuery,
    TemplatePageSchema,
    TemplateSchema,
    TemplatesQuery,
    TemplateStatsSchema,
    TemplateVersionsSchema,
)

blueprint = ApiBlueprint("templates", __name__, description="Texts to start a campaign from")
# Not tenant routes: the administrator's token is the credential, whatever shop is signed in.
admin = ApiBlueprint(
    "admin-templates", __name__, public=True, description="The shared templates; needs X-Admin-Token"
)


@admin.before_request
def require_admin() -> None:
    """Raises AdminTokenRequired."""
    given = request.headers.get("X-Admin-Token", "")
    if not hmac.compare_digest(given.encode(), settings().admin_token.encode()):
        raise AdminTokenRequired


@blueprint.get("/templates")
@blueprint.arguments(TemplatesQuery, location="query")
@blueprint.data(200, TemplatePageSchema)
def list_templates(query: dict[str, Any]) -> Any:
    """The shared templates and the shop's own."""
    return service.list_templates(g.shop_id, **query)


@blueprint.get("/templates/categories")
@blueprint.data(200, many=True)
def list_categories() -> Any:
    """The names of all categories."""
    return service.list_categories(g.shop_id)


@blueprint.get("/templates/<id:template_id>")
@blueprint.data(200, TemplateSchema)
@blueprint.errors(404)
def show_template(template_id: int) -> Any:
    """One template."""
    return service.find_template(g.shop_id, template_id)


@blueprint.put("/templates/<id:template_id>")
@blueprint.arguments(OwnTemplateChange)
@blueprint.data(200, TemplateSchema)
@blueprint.errors(404, 409)
def edit_template(body: dict[str, Any], template_id: int) -> Any:
    """Change a template of the shop's own."""
    return service.edit_own_template(g.shop_id, template_id, body)


@blueprint.post("/templates/<id:template_id>/track")
@blueprint.data(200)
@blueprint.errors(404)
def track_use(template_id: int) -> Any:
    """Count one use of a template."""
    return service.track_use(g.shop_id, template_id)


@blueprint.post("/templates/ensure-defaults")
@blueprint.arguments(DefaultsIn, location="query")
@blueprint.arguments(DefaultsIn)
@blueprint.data(200, DefaultsSchema)
def ensure_defaults(query: dict[str, Any], body: dict[str, Any]) -> Any:
    """Give the shop its own set of templates for a type of shop, and bring it up to date."""
    return service.ensure_defaults(g.shop_id, query["eshop_type"] or body["eshop_type"])


@admin.get("/admin/templates")
@admin.arguments(SharedTemplatesQuery, location="query")
@admin.data(200, SharedTemplatePageSchema)
@admin.errors(403)
def list_shared(query: dict[str, Any]) -> Any:
    """The shared templates, public or not; `useCount` is that of all shops."""
    return service.list_shared(**query)


@admin.post("/admin/templates")
@admin.arguments(SharedTemplateIn)
@admin.data(201, SharedTemplateSchema)
@admin.errors(403, 409)
def create_shared(body: dict[str, Any]) -> Any:
    """Add a shared template."""
    return service.create_shared(body)


@admin.put("/admin/templates/<id:template_id>")
@admin.arguments(SharedTemplateChange)
@admin.data(200, SharedTemplateSchema)
@admin.errors(403, 404)
def change_shared(body: dict[str, Any], template_id: int) -> Any:
    """Change a shared template. Its shop type and key stay: they say which text of the library it is."""
    return service.change_shared(template_id, body)


@admin.delete("/admin/templates/<id:template_id>")
@admin.data(200, message="The template was deleted.")
@admin.errors(403, 404)
def retire_shared(template_id: int) -> Any:
    """Take a shared template away from all shops."""
    return service.retire_shared(template_id)


@admin.get("/admin/templates/<id:template_id>/stats")
@admin.data(200, TemplateStatsSchema)
@admin.errors(403, 404)
def show_stats(template_id: int) -> Any:
    """How often a shared template is used, and by how many shops."""
    return service.use_by_shops(template_id)


@admin.get("/admin/templates/<id:template_id>/versions")
@admin.data(200, TemplateVersionsSchema)
@admin.errors(403, 404)
def list_versions(template_id: int) -> Any:
    """Every version of a shared template, the newest first."""
    return {"template_id": template_id, "versions": service.list_versions(template_id)}
