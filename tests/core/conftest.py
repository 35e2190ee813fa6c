"""An app with a few routes that misbehave, and what the logs said."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import marshmallow as ma
import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app import create_app
from app.config import Settings
from app.core.errors import Conflict, ValidationFailed
from app.core.http import ApiBlueprint, Schema
from app.core.logging import configure_logging
from app.core.uow import across_shops
from app.core.urls import public_base_url

PHONE = "+306912345678"
EMAIL = "maria@example.com"
Line = dict[str, Any]
MakeApp = Callable[..., Flask]


class EchoIn(Schema):
    name = ma.fields.String(required=True)
    age = ma.fields.Integer()


def misbehaving() -> ApiBlueprint:
    """Public routes under /trial; each does one thing."""
    blueprint = ApiBlueprint("trial", __name__, public=True)

    @blueprint.post("/trial/echo")
    @blueprint.arguments(EchoIn)
    @blueprint.data(200, EchoIn)
    def echo(body: Line) -> Line:
        return body

    @blueprint.get("/trial/bug")
    def bug() -> None:
        raise RuntimeError(f"{EMAIL} has the number {PHONE}")

    @blueprint.get("/trial/row")
    def row() -> None:
        with across_shops("a row that breaks a rule") as session:
            session.execute(text("INSERT INTO suppressions VALUES (0, :phone, 'x')"), {"phone": PHONE})

    @blueprint.get("/trial/refusal")
    def refusal() -> None:
        raise Conflict("Not now.", meta={"reason": "busy", "retryAfter": 7, "other": 1})

    @blueprint.get("/trial/field")
    def field() -> None:
        raise ValidationFailed("scheduleAt", "must be in the future")

    @blueprint.get("/trial/base")
    def base() -> Line:
        return {"base": public_base_url()}

    @blueprint.get("/trial/log/<token>")
    def log(token: str) -> Line:
        structlog.get_logger("trial").info("token_read", token=token, phone=PHONE, count=3)
        return {}

    return blueprint


@pytest.fixture(scope="session")
def make_app(settings: Settings) -> MakeApp:
    """Builds an app with the misbehaving routes and other settings."""

    def make(**changes: Any) -> Flask:
        app = create_app(replace(settings, **changes))
        app.testing = True
        app.register_blueprint(misbehaving())
        return app

    return make


@pytest.fixture(scope="session")
def misbehaving_app(make_app: MakeApp) -> Flask:
    return make_app()


@pytest.fixture
def trial(misbehaving_app: Flask, app: Flask) -> FlaskClient:
    """A client of an app with the misbehaving routes, on the migrated database."""
    return misbehaving_app.test_client()


@pytest.fixture
def lines() -> Iterator[Callable[[], list[Line]]]:
    """Logging as in production. Gives the lines since the last call; call it first to start afresh."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    written = io.StringIO()

    def read() -> list[Line]:
        found = [json.loads(line) for line in written.getvalue().splitlines()]
        written.seek(0)
        written.truncate()
        configure_logging("INFO")  # an app that was made meanwhile has put its own handler there
        root.handlers[0].setStream(written)  # type: ignore[attr-defined]
        return found

    read()
    yield read
    root.handlers = before
    root.setLevel(level)
