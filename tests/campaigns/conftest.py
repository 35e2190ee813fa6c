"""Two merchants, so that every test can have a stranger in it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.build_campaigns import Merchant, a_merchant


@pytest.fixture
def merchant(client: FlaskClient) -> Merchant:
    return a_merchant(client)


@pytest.fixture
def stranger(client: FlaskClient) -> Merchant:
    """The owner of another shop."""
    return a_merchant(client)
