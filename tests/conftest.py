"""The world tests run in: a real Postgres and a real Valkey, one database per test process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from app.core.database import db
from app.local.servers import embedded_servers
from tests import build, databases
from tests.stripe_world import running_stripe, stripe_world

__all__ = ["running_stripe", "stripe_world"]  # fixtures of their own module

SECRET = "a-secret-for-tests-only-0123456789abcdef"
VALUES = {
    "APP_ENV": "test",
    "JWT_SECRET": SECRET + "-jwt",
    "UNSUBSCRIBE_SECRET": SECRET + "-links",
    "ADMIN_TOKEN": SECRET + "-admin",
    "SHOPIFY_API_KEY": "test-client-id",
    "SHOPIFY_API_SECRET": SECRET + "-shopify",
    "SHOPIFY_ADMIN_BASE": "http://127.0.0.1:9/shopify/{shop}",  # nor here
    "VIES_API_BASE": "http://127.0.0.1:9/vies",  # nor here
    "MITTO_API_BASE": "http://127.0.0.1:9",  # nobody listens: a test that sends starts its own carrier
    "MITTO_API_KEY": "test-key",
    "MITTO_TRAFFIC_ACCOUNT_ID": "e8a5e53f-51ce-4cc8-9f3c-43fb1d24daf7",
    "MITTO_WEBHOOK_SECRET": SECRET + "-mitto",
    "STRIPE_WEBHOOK_SECRET": "whsec_" + SECRET,
    "PUBLIC_BASE_URL": "https://sms.example.com",
    "EMBEDDED_ORIGIN": "https://embedded.example.com",
    "QUIET_HOURS": "false",  # tests run at night, too
    "RATE_LIMITS_ENABLED": "false",  # tests ask more often than people
    "LOG_LEVEL": "WARNING",
}


def worker_number() -> int:
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def pytest_xdist_auto_num_workers() -> int | None:
    """One process where the given role cannot make a database for each."""
    url = databases.given_url()
    return 1 if url and not databases.may_create_databases(url) else None


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, str]]:
    """DATABASE_URL, DIRECT_URL and REDIS_URL of this test process's own empty database."""
    with embedded_servers(data_dir=Path(".local/test")) as world:
        url = world.env["DATABASE_URL"]
        direct = world.env.get("DIRECT_URL", url)
        with databases.empty_database(url, direct, worker_number()) as (database_url, direct_url):
            yield {
                "DATABASE_URL": database_url,
                "DIRECT_URL": direct_url,
                "REDIS_URL": build.redis_database(world.env["REDIS_URL"], worker_number()),
            }


@pytest.fixture(scope="session")
def settings(servers: dict[str, str]) -> Settings:
    return Settings.from_env({**VALUES, **servers})


@pytest.fixture(scope="session")
def migrated(settings: Settings) -> Iterator[Flask]:
    """The app on a database made from nothing by the migrations."""
    app = create_app(settings)
    app.testing = True
    with app.app_context():
        build.migrate(app)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def owner(migrated: Flask, settings: Settings) -> Iterator[sa.Engine]:
    """An engine as the tables' owner, for cleaning and for looking past the application."""
    engine = sa.create_engine(settings.direct_url, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture
def app(migrated: Flask, owner: sa.Engine, settings: Settings) -> Iterator[Flask]:
    """The app with empty tables and an empty Redis, inside an app context."""
    build.empty_tables(owner)
    redis.Redis.from_url(settings.redis_url).flushdb()
    with migrated.app_context():
        yield migrated
        db.session.remove()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
