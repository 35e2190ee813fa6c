"""Putting the application together: settings, extensions, blueprints, error handlers."""

from __future__ import annotations

from flask import Flask
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

from app.api import register_api
from app.audiences.service.audiences import segment_members
from app.auth.authentication import register_authentication
from app.config import Settings
from app.contacts import service as contacts
from app.core.cache import init_cache
from app.core.cors import register_cors
from app.core.database import db, init_database
from app.core.http.errors import register_error_handlers
from app.core.http.lifecycle import IdConverter, register_lifecycle
from app.core.http.limits import register_limits
from app.core.logging import configure_logging
from app.core.metrics import init_metrics
from app.core.redis import init_redis


def build(settings: Settings | None = None) -> Flask:
    """The configured app. Raises ConfigError when the environment is not usable."""
    settings = settings or Settings.from_env()
    configure_logging(settings.log_level)
    app = Flask("app")
    app.config["SETTINGS"] = settings
    app.config["MAX_CONTENT_LENGTH"] = settings.import_max_bytes
    app.url_map.strict_slashes = False
    app.url_map.converters["id"] = IdConverter
    init_database(app, settings)
    init_redis(app, settings.redis_url)
    init_cache(app, settings.redis_url)
    init_metrics(app, settings.redis_url)
    Migrate(app, db, directory="migrations")
    register_error_handlers(app)
    register_lifecycle(app)
    register_cors(app, settings)
    register_authentication(app)
    register_limits(app, settings)
    register_api(app)
    contacts.resolve_lists_with(segment_members)
    hops = settings.trusted_proxy_hops
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=1, x_host=1)  # type: ignore[method-assign]
    return app
