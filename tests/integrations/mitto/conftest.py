"""Clients of the carrier."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from app.integrations.mitto.client import MittoClient
from tests.integrations.mitto.calls import (
    ACCOUNT,
    MakeClient,
)
from tests.integrations.mitto.carriers import (
    WAIT_SECONDS,
)


@pytest.fixture
def connect() -> Iterator[MakeClient]:
    """Make clients; close them afterwards."""
    with ExitStack() as opened:

        def make(url: str, *, timeout_seconds: float = WAIT_SECONDS, **options: Any) -> MittoClient:
            client = MittoClient(url, "the-key", ACCOUNT, timeout_seconds, **options)
            opened.callback(client.close)
            return client

        yield make
