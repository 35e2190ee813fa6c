"""Two shops, so that every test can have a stranger in it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests import build
from tests.audiences.people import Caller


@pytest.fixture
def merchant(client: FlaskClient) -> Caller:
    """The owner of a shop, signed in."""
    return Caller(client, build.a_shop())


@pytest.fixture
def stranger(client: FlaskClient) -> Caller:
    """The owner of another shop, signed in."""
    return Caller(client, build.a_shop())
