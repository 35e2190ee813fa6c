"""A shop with its settings page, and another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.config import Settings
from app.shops.models import Shop
from tests import build

Change = Callable[..., TestResponse]


@pytest.fixture
def shop(app: Flask) -> Shop:
    return build.a_shop()


@pytest.fixture
def stranger(app: Flask) -> Shop:
    """Another shop."""
    return build.a_shop()


@pytest.fixture
def change(client: FlaskClient, shop: Shop) -> Change:
    """PUT /settings with the given keys."""

    def put(**body: Any) -> TestResponse:
        return client.put("/settings", json=body, headers=build.auth(shop))

    return put


@pytest.fixture
def in_production(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same app, told by its configuration that people depend on it."""
    monkeypatch.setitem(app.config, "SETTINGS", replace(settings, app_env="production"))
