"""The outside world, pretended: an SMS carrier with its phones, a Shopify, a Stripe and a VIES, as one
application.

Nothing in the product imports this package, and it imports nothing of the product: they meet over HTTP only.
"""

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

from app.sandbox.carrier import carrier
from app.sandbox.config import SandboxConfig
from app.sandbox.inbox import inbox
from app.sandbox.inspection import inspection
from app.sandbox.shopify.doors import DOORS as SHOPIFY_DOORS
from app.sandbox.state import Sandbox
from app.sandbox.stripe.doors import DOORS as STRIPE_DOORS
from app.sandbox.vies import vies

__all__ = ["SandboxConfig", "create_sandbox"]


def create_sandbox(config: SandboxConfig) -> Flask:
    """Start a sandbox and give its application. Close it with `app.extensions["sandbox"].close()`.

    Raises SandboxInProduction when APP_ENV is production.
    """
    config.require_not_production()
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.compact = True  # type: ignore[attr-defined]
    app.extensions["sandbox"] = Sandbox.start(config)
    for blueprint in (carrier, inspection, inbox, *SHOPIFY_DOORS, *STRIPE_DOORS, vies):
        app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, _as_json)
    return app


def _as_json(error: HTTPException) -> tuple[Response, int]:
    return jsonify(message=error.description), error.code or 500
