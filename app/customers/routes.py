"""The import of a shop's customers from Shopify."""

from __future__ import annotations

from flask import g

from app.core.http import ApiBlueprint
from app.customers.models import CustomerImport
from app.customers.schemas import CustomerImportSchema
from app.customers.service import importing

blueprint = ApiBlueprint("customers", __name__, description="Bringing in a shop's customers from Shopify")


@blueprint.get("/customers/import")
@blueprint.data(200, CustomerImportSchema)
@blueprint.errors(404)
def show_customer_import() -> CustomerImport:
    """How far the latest import of the shop's customers is."""
    return importing.newest(g.shop_id)


@blueprint.post("/customers/import")
@blueprint.data(202, CustomerImportSchema)
@blueprint.errors(409)
def start_customer_import() -> CustomerImport:
    """Import all customers again, or join the import that runs."""
    return importing.start_again(g.shop_id)
