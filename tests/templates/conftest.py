"""Two shops and the administrator."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.config import Settings
from tests import build
from tests.audiences.people import Caller


class Admin(Caller):
    """Somebody who holds the administrator's token and no shop's."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self.client, self.headers = client, {"X-Admin-Token": token}


@pytest.fixture
def merchant(client: FlaskClient) -> Caller:
    """The owner of a shop, signed in."""
    return Caller(client, build.a_shop())


@pytest.fixture
def stranger(client: FlaskClient) -> Caller:
    """The owner of another shop, signed in."""
    return Caller(client, build.a_shop())


@pytest.fixture
def admin(client: FlaskClient, settings: Settings) -> Admin:
    return Admin(client, settings.admin_token)
