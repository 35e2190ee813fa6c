"""A real carrier for tests that send."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from app.integrations.mitto.client import MittoClient
from app.messaging.provider import EXTENSION
from app.sandbox import SandboxConfig
from tests.sandbox.conftest import KEY, Carrier, running


@pytest.fixture
def carrier(app: Flask) -> Iterator[Carrier]:
    """A sandbox on a real port, and the app's client pointed at it."""
    config = SandboxConfig(store=":memory:", api_key=KEY, quick=True, failure_share=0, late_share=0)
    with running(config) as sandbox:
        client = MittoClient(sandbox.url, KEY, config.traffic_account_id, timeout_seconds=5)
        app.extensions[EXTENSION] = client
        yield sandbox
        client.close()
        del app.extensions[EXTENSION]
