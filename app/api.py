"""The list of everything that is served: one line per feature."""

from __future__ import annotations

import importlib.resources
from typing import Any

from flask import Blueprint, Flask
from flask_smorest import Api

from app.access.routes import activity, api_keys
from app.audiences.routes import blueprint as audiences
from app.audit.cli import audit_command
from app.auth.routes import blueprint as auth
from app.auth.routes import public as sign_in
from app.automations.routes import blueprint as automations
from app.billing.cli import credits_cli, shops_cli
from app.billing.proof.cli import ledger_cli
from app.billing.proof.routes import blueprint as ledger
from app.billing.routes import blueprint as billing
from app.billing.routes import public as prices
from app.billing.statements.routes import blueprint as statements
from app.campaigns.routes import blueprint as campaigns
from app.connections.cli import connections_cli
from app.contacts.importing.routes import blueprint as contact_imports
from app.contacts.routes import blueprint as contacts
from app.core.health import blueprint as health
from app.core.http import fields
from app.core.http.blueprint import ProblemSchema
from app.core.http.documenting import complete
from app.customers.routes import blueprint as customers
from app.discounts.routes import blueprint as discounts
from app.discounts.routes import pools_blueprint as discount_pools
from app.links.routes import blueprint as links
from app.messaging.cli import quiet_hours_cli
from app.monitoring.routes import blueprint as monitoring
from app.optouts.routes import api as unsubscribe
from app.optouts.routes import page as opt_out_page
from app.payers.routes import blueprint as billing_profile
from app.privacy.routes import blueprint as privacy
from app.purchases.cli import purchases_cli
from app.purchases.routes import blueprint as purchases
from app.reports.routes.dashboard import blueprint as dashboard
from app.reports.routes.reports import blueprint as reports
from app.reports.routes.tracking import blueprint as tracking
from app.settings.routes import blueprint as settings
from app.storefront.routes import forms as storefront_forms
from app.storefront.routes import page as opt_in_page
from app.subscriptions.routes import blueprint as subscriptions
from app.templates.cli import templates_cli
from app.templates.routes import admin as template_admin
from app.templates.routes import blueprint as templates
from app.webhooks.cli import webhooks_cli
from app.webhooks.routes.mitto import blueprint as mitto_webhooks
from app.webhooks.routes.shopify import blueprint as shopify_webhooks
from app.webhooks.routes.stripe import blueprint as stripe_webhooks
from app.webhooks.routes.triggering import blueprint as automation_trigger

BLUEPRINTS = (
    health,
    monitoring,
    sign_in,
    auth,
    api_keys,
    activity,
    contacts,
    contact_imports,
    customers,
    audiences,
    templates,
    template_admin,
    campaigns,
    automations,
    billing,
    billing_profile,
    statements,
    subscriptions,
    purchases,
    ledger,
    links,
    opt_out_page,
    unsubscribe,
    mitto_webhooks,
    shopify_webhooks,
    stripe_webhooks,
    automation_trigger,
    privacy,
    dashboard,
    reports,
    tracking,
    settings,
    storefront_forms,
    opt_in_page,
    prices,
    discounts,
    discount_pools,
)
COMMANDS = (
    shops_cli,
    connections_cli,
    credits_cli,
    purchases_cli,
    ledger_cli,
    webhooks_cli,
    audit_command,
    templates_cli,
    quiet_hours_cli,
)

OPENAPI: dict[str, Any] = {
    "API_TITLE": "Astronote API",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.0.3",
    "OPENAPI_URL_PREFIX": "/",
    "OPENAPI_JSON_PATH": "openapi.json",
    "OPENAPI_SWAGGER_UI_PATH": "docs",
    "OPENAPI_SWAGGER_UI_URL": "/docs-files/",
    "API_SPEC_OPTIONS": {
        "info": {"description": "SMS marketing for Shopify merchants."},
        "security": [{"bearer": []}],
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT, or an API key"},
                "admin": {"type": "apiKey", "in": "header", "name": "X-Admin-Token"},
                "carrier": {"type": "apiKey", "in": "header", "name": "X-Webhook-Token"},
                "shopify": {"type": "apiKey", "in": "header", "name": "X-Shopify-Hmac-Sha256"},
                "stripe": {"type": "apiKey", "in": "header", "name": "Stripe-Signature"},
            }
        },
    },
}
# What blueprints without a tenant's credential ask for instead, if anything.
CREDENTIALS = {
    "admin-templates": "admin",
    "monitoring": "admin",
    "automation-trigger": "admin",
    "mitto-webhooks": "carrier",
    "shopify-webhooks": "shopify",
    "stripe-webhooks": "stripe",
}


class AstronoteApi(Api):
    """flask-smorest with our error envelope: its own error handlers are not wanted, ours are."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        pass


def register_api(app: Flask) -> None:
    """Register blueprints, their commands and the documentation, all served from local files."""
    app.config.update(OPENAPI)
    api = AstronoteApi(app)
    api.register_converter(app.url_map.converters["id"], id_in_path)
    api.register_field(fields.Id, "string", None)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
        if blueprint.public:
            _mark_public(api, blueprint.name)
    complete(api.spec._paths, api.spec.components.schemas, {one.name: one.import_name for one in BLUEPRINTS})
    for command in COMMANDS:
        app.cli.add_command(command)
    app.register_blueprint(_swagger_files())


def id_in_path(_converter: Any) -> dict[str, Any]:
    return {"type": "string", "pattern": "^[0-9]{1,19}$"}


def _mark_public(api: Api, tag: str) -> None:
    """Public operations need no tenant's credential; the document says so."""
    needed: list[Any] = [{CREDENTIALS[tag]: []}] if tag in CREDENTIALS else []
    for path in api.spec._paths.values():
        for operation in path.values():
            if isinstance(operation, dict) and tag in operation.get("tags", ()):
                operation["security"] = needed


def _swagger_files() -> Blueprint:
    folder = importlib.resources.files("swagger_ui_bundle") / "vendor" / "swagger-ui-4.15.5"
    return Blueprint("swagger", __name__, static_folder=str(folder), static_url_path="/docs-files")
