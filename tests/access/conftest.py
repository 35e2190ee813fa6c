"""A merchant, and what a system of theirs does with a key."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.build_campaigns import Merchant, a_merchant


@pytest.fixture
def merchant(client: FlaskClient) -> Merchant:
    return a_merchant(client)
