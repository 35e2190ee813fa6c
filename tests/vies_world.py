"""A pretend VIES on a free loopback port, and the app that asks there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import requests
from flask import Flask
from werkzeug.serving import make_server

from app.sandbox import SandboxConfig, create_sandbox
from tests.sandbox.conftest import serving
from tests.sandbox.shopify.world import Quiet


@dataclass
class ViesWorld:
    """The running register, by its control API."""

    url: str

    def behave(self, outcome: str | None = None, *, number: str = "", **wish: Any) -> None:
        """For one number (with its prefix), or for all: valid, invalid, member_state_unavailable, …"""
        body = {"outcome": outcome, "number": number, **wish}
        assert requests.put(f"{self.url}/sandbox", json=body, timeout=10).ok

    def reset(self) -> None:
        assert requests.delete(f"{self.url}/sandbox", timeout=10).ok

    def asked(self) -> list[dict[str, str]]:
        """What it was asked, oldest first."""
        found: list[dict[str, str]] = requests.get(f"{self.url}/sandbox", timeout=10).json()["asked"]
        return found


@pytest.fixture(scope="session")
def running_vies() -> Iterator[ViesWorld]:
    app = create_sandbox(SandboxConfig())
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    server.daemon_threads = True  # a kept-alive connection of the app must not keep the test
    try:
        with serving(server):
            yield ViesWorld(f"http://127.0.0.1:{server.server_port}/vies")
    finally:
        app.extensions["sandbox"].close()


@pytest.fixture
def vies_world(running_vies: ViesWorld, app: Flask) -> Iterator[ViesWorld]:
    """A register that works, and the app that asks it as EL123456789."""
    running_vies.reset()
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, vies_api_base=running_vies.url, seller_vat_number="EL123456789")
    yield running_vies
    app.config["SETTINGS"] = before
